variable "name" {
  description = "Name of the stack: the cluster's name, and what names of services begin with."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "name must be 2 to 20 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "fleets" {
  description = "What runs where, by name of the fleet: `fargate` with cpu units and memory in MiB, or `ec2` with an instance type, one worker on each instance."
  type = map(object({
    launch         = string
    cpu            = optional(number)
    memory         = optional(number)
    architecture   = optional(string)
    instance_type  = optional(string)
    max            = number
    spot           = optional(bool, false)
    executors      = optional(number)
    steps_per_task = optional(number)
    storage_gib    = optional(number)
  }))

  validation {
    condition     = alltrue([for fleet in var.fleets : fleet.launch == "fargate" ? fleet.cpu != null && fleet.memory != null : fleet.launch == "ec2" && fleet.instance_type != null])
    error_message = "Every fleet has launch = \"fargate\" with cpu and memory, or launch = \"ec2\" with instance_type."
  }

  validation {
    condition     = alltrue([for fleet in var.fleets : fleet.max >= 1])
    error_message = "Every fleet's max is at least 1."
  }
}

variable "image" {
  description = "Container image of the worker, with its tag or digest."
  type        = string

  validation {
    condition     = can(regex("^[^\\s:@]+(:[0-9]+/[^\\s:@]+)?(:[\\w][\\w.-]*)?(@sha256:[0-9a-f]{64})?$", var.image))
    error_message = "image must be a reference such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/stepbench:latest."
  }
}

variable "environment" {
  description = "Settings that all workers have in common, by name of the variable."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for variable in keys(var.environment) : can(regex("^[A-Z][A-Z0-9_]*$", variable))])
    error_message = "environment must be named by variables in upper case, such as ORCH_BUCKET."
  }
}

variable "steps_queue_urls" {
  description = "URL of each fleet's steps queue, by fleet."
  type        = map(string)

  validation {
    condition     = length(setsubtract(keys(var.fleets), keys(var.steps_queue_urls))) == 0
    error_message = "steps_queue_urls must have a queue for every fleet."
  }
}

variable "steps_queue_names" {
  description = "Name of each fleet's steps queue, by fleet: what its metrics are found by."
  type        = map(string)

  validation {
    condition     = length(setsubtract(keys(var.fleets), keys(var.steps_queue_names))) == 0
    error_message = "steps_queue_names must have a queue for every fleet."
  }
}

variable "task_role_arns" {
  description = "Role that the worker's own calls are made as, by fleet."
  type        = map(string)

  validation {
    condition     = length(setsubtract(keys(var.fleets), keys(var.task_role_arns))) == 0
    error_message = "task_role_arns must have a role for every fleet."
  }
}

variable "execution_role_arn" {
  description = "Role that images are pulled and log lines are written as."
  type        = string

  validation {
    condition     = can(regex("^arn:", var.execution_role_arn))
    error_message = "execution_role_arn must be an ARN."
  }
}

variable "host_profile_arn" {
  description = "Instance profile of EC2 hosts; null where no fleet is on EC2."
  type        = string
  default     = null

  validation {
    condition     = var.host_profile_arn == null || can(regex("^arn:", var.host_profile_arn))
    error_message = "host_profile_arn must be an ARN."
  }
}

variable "subnet_ids" {
  description = "Subnets that tasks and hosts run in."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids must name at least one subnet."
  }
}

variable "security_group_id" {
  description = "Security group of tasks and hosts."
  type        = string

  validation {
    condition     = can(regex("^sg-", var.security_group_id))
    error_message = "security_group_id must look like sg-0123456789abcdef0."
  }
}

variable "log_group_name" {
  description = "Log group that workers write to. Each fleet's streams begin with its name."
  type        = string

  validation {
    condition     = can(regex("^[\\w./#-]{1,512}$", var.log_group_name))
    error_message = "log_group_name must be 1 to 512 letters, digits and ./#_-."
  }
}

variable "drain_timeout_seconds" {
  description = "Grace that a worker gives its steps when it is told to end. ECS waits 20 s longer, at most 120, before it kills."
  type        = number
  default     = 100

  validation {
    condition     = var.drain_timeout_seconds >= 0 && var.drain_timeout_seconds <= 100
    error_message = "drain_timeout_seconds must be from 0 to 100: Fargate kills after 120, and publishing what is finished takes a moment."
  }
}

variable "idle_minutes" {
  description = "A fleet whose queue was empty for so long goes back to zero."
  type        = number
  default     = 10

  validation {
    condition     = var.idle_minutes >= 3 && var.idle_minutes <= 60 && floor(var.idle_minutes) == var.idle_minutes
    error_message = "idle_minutes must be a whole number from 3 to 60."
  }
}
