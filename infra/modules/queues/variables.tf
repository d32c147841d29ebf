variable "name" {
  description = "Name of the stack: every queue's name begins with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "name must be 2 to 20 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "fleets" {
  description = "Names of the fleets. Each gets a steps queue and a dead-letter queue of its own."
  type        = set(string)

  validation {
    condition     = length(var.fleets) > 0
    error_message = "fleets must name at least one fleet."
  }
}

variable "visibility_timeout_seconds" {
  description = "How long a message that a worker took stays hidden. Workers extend it while a step runs."
  type        = number
  default     = 120

  validation {
    condition     = var.visibility_timeout_seconds >= 10 && var.visibility_timeout_seconds <= 43200
    error_message = "visibility_timeout_seconds must be from 10 to 43200."
  }
}

variable "max_receive_count" {
  description = "A message that was received more often goes to the dead-letter queue. Hand-backs and killed workers count too, so it is at least 5."
  type        = number
  default     = 5

  validation {
    condition     = var.max_receive_count >= 5 && var.max_receive_count <= 1000
    error_message = "max_receive_count must be from 5 to 1000."
  }
}

variable "results_queue" {
  description = "Also make one fixed results queue for all runs, in place of one per run that the orchestrator makes itself."
  type        = bool
  default     = false
}
