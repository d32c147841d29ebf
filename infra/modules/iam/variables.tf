variable "name" {
  description = "Name of the stack: names of roles and policies begin with it and the region."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "name must be 2 to 20 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "permissions_boundary_arn" {
  description = "Permissions boundary of every role, where your account asks for one."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null || can(regex("^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn must be the ARN of a policy: arn:aws:iam::ACCOUNT:policy/NAME."
  }
}

variable "bucket_arn" {
  description = "ARN of the bucket of the payloads."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:s3:::", var.bucket_arn))
    error_message = "bucket_arn must be the ARN of a bucket."
  }
}

variable "literal_prefix" {
  description = "What all keys begin with that workers and orchestrators may touch: the part of ORCH_PREFIX before its first placeholder."
  type        = string
  default     = "orchestration-bench/runs/"

  validation {
    condition     = can(regex("^[A-Za-z0-9!_.'()=+@:,-][A-Za-z0-9!_.'()/=+@:,-]*$", var.literal_prefix))
    error_message = "literal_prefix must not be empty, nor begin with a slash, nor hold a placeholder or a star."
  }
}

variable "kms_key_arn" {
  description = "ARN of the key that payloads are encrypted with; see encrypts_with_key."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key."
  }
}

variable "encrypts_with_key" {
  description = "Whether payloads are encrypted with kms_key_arn. By itself, because the ARN of a key that is yet to be made is unknown."
  type        = bool
  default     = false
}

variable "steps_queue_arns" {
  description = "ARN of each fleet's steps queue, by fleet. Each fleet has a task role for its own queue."
  type        = map(string)

  validation {
    condition     = length(var.steps_queue_arns) > 0
    error_message = "steps_queue_arns must have the queue of at least one fleet."
  }
}

variable "dead_letter_queue_arns" {
  description = "ARN of each fleet's dead-letter queue, by fleet."
  type        = map(string)

  validation {
    condition     = length(setsubtract(keys(var.steps_queue_arns), keys(var.dead_letter_queue_arns))) == 0
    error_message = "dead_letter_queue_arns must have a queue for every fleet."
  }
}

variable "results_queue_prefix" {
  description = "What the names of the runs' own results queues begin with."
  type        = string
  default     = "stepbench-results-"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,50}$", var.results_queue_prefix))
    error_message = "results_queue_prefix must be 1 to 50 letters, digits, hyphens and underscores."
  }
}

variable "results_queue_arn" {
  description = "ARN of the fixed results queue, in place of one per run."
  type        = string
  default     = null

  validation {
    condition     = var.results_queue_arn == null || can(regex("^arn:[a-z-]+:sqs:", var.results_queue_arn))
    error_message = "results_queue_arn must be the ARN of a queue."
  }
}

variable "image" {
  description = "Container image of the workers. Where it is in ECR, its repository is the one that may be pulled from."
  type        = string

  validation {
    condition     = length(var.image) > 0
    error_message = "image must not be empty."
  }
}

variable "log_group_name" {
  description = "Log group that tasks write to."
  type        = string

  validation {
    condition     = can(regex("^[\\w./#-]{1,512}$", var.log_group_name))
    error_message = "log_group_name must be 1 to 512 letters, digits and ./#_-."
  }
}

variable "with_hosts" {
  description = "Whether some fleet is on EC2, whose hosts need a role of their own."
  type        = bool
  default     = false
}

variable "function" {
  description = "ARNs of the Lambda function that does steps, and of its dead-letter queue. Null: none."
  type = object({
    arn                   = string
    dead_letter_queue_arn = string
  })
  default = null

  validation {
    condition     = var.function == null || try(can(regex("^arn:[a-z-]+:lambda:", var.function.arn)) && can(regex("^arn:[a-z-]+:sqs:", var.function.dead_letter_queue_arn)), false)
    error_message = "function must have the ARNs of a function and of a queue."
  }
}
