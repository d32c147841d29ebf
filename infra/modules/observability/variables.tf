variable "name" {
  description = "Name of the stack: what is created here is called after it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "name must be 2 to 20 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "steps_queue_names" {
  description = "Name of each fleet's steps queue, by fleet."
  type        = map(string)

  validation {
    condition     = length(var.steps_queue_names) > 0
    error_message = "steps_queue_names must have the queue of at least one fleet."
  }
}

variable "dead_letter_queue_names" {
  description = "Name of each fleet's dead-letter queue, by fleet."
  type        = map(string)

  validation {
    condition     = length(setsubtract(keys(var.steps_queue_names), keys(var.dead_letter_queue_names))) == 0
    error_message = "dead_letter_queue_names must have a queue for every fleet."
  }
}

variable "function" {
  description = "Names of the Lambda function that does steps, and of its dead-letter queue. Null: none."
  type = object({
    name                   = string
    dead_letter_queue_name = string
  })
  default = null

  validation {
    condition     = var.function == null || try(can(regex("^[\\w-]{1,64}$", var.function.name)) && can(regex("^[\\w-]{1,80}$", var.function.dead_letter_queue_name)), false)
    error_message = "function must have the names of a function and of a queue."
  }
}

variable "log_retention_days" {
  description = "Log lines are deleted after so many days."
  type        = number
  default     = 14

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a number that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365 ..."
  }
}

variable "alarm_email" {
  description = "Address that alarms go to. AWS asks it once for consent. Null: alarms are only shown."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_email == null || can(regex("^[^@\\s]+@[^@\\s]+$", var.alarm_email))
    error_message = "alarm_email must be an e-mail address."
  }
}

variable "oldest_message_seconds" {
  description = "A step message that waits for longer raises an alarm."
  type        = number
  default     = 1800

  validation {
    condition     = var.oldest_message_seconds >= 60
    error_message = "oldest_message_seconds must be at least 60."
  }
}

variable "budget_email" {
  description = "Address that is told when the month's costs reach 80 % of budget_usd, or are forecast to exceed it. Null: no budget."
  type        = string
  default     = null

  validation {
    condition     = var.budget_email == null || can(regex("^[^@\\s]+@[^@\\s]+$", var.budget_email))
    error_message = "budget_email must be an e-mail address."
  }
}

variable "budget_usd" {
  description = "Costs of a month, in US dollars, that budget_email is warned of."
  type        = number
  default     = 50

  validation {
    condition     = var.budget_usd > 0
    error_message = "budget_usd must be above 0."
  }
}

variable "budget_tag" {
  description = "Count only what carries this tag, as KEY$VALUE; the tag has to be activated in the billing console first. Null: the whole account."
  type        = string
  default     = null

  validation {
    condition     = var.budget_tag == null || can(regex("^[^$]+\\$[^$]+$", var.budget_tag))
    error_message = "budget_tag must be KEY$VALUE, such as stepbench$bench."
  }
}
