variable "name" {
  description = "Name of the stack."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "name must be 2 to 20 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "image" {
  description = "Container image, the same as the workers'."
  type        = string

  validation {
    condition     = length(var.image) > 0
    error_message = "image must not be empty."
  }
}

variable "architecture" {
  description = "amd64 or arm64: one that the image was built for."
  type        = string
  default     = "amd64"

  validation {
    condition     = contains(["amd64", "arm64"], var.architecture)
    error_message = "architecture must be amd64 or arm64."
  }
}

variable "cpu" {
  description = "Units of 1/1024 vCPU."
  type        = number
  default     = 1024

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.cpu)
    error_message = "cpu must be 256, 512, 1024, 2048 or 4096."
  }
}

variable "memory" {
  description = "Memory in MiB. The first payload is made in it: about five times its size is needed."
  type        = number
  default     = 4096

  validation {
    condition     = var.memory >= 512 && var.memory <= 30720
    error_message = "memory must be from 512 to 30720."
  }
}

variable "environment" {
  description = "Settings of the orchestrator, by name of the variable."
  type        = map(string)

  validation {
    condition     = alltrue([for variable in keys(var.environment) : can(regex("^[A-Z][A-Z0-9_]*$", variable))])
    error_message = "environment must be named by variables in upper case, such as ORCH_BUCKET."
  }
}

variable "task_role_arn" {
  description = "Role that the orchestrator's calls are made as."
  type        = string

  validation {
    condition     = can(regex("^arn:", var.task_role_arn))
    error_message = "task_role_arn must be an ARN."
  }
}

variable "execution_role_arn" {
  description = "Role that the image is pulled and log lines are written as."
  type        = string

  validation {
    condition     = can(regex("^arn:", var.execution_role_arn))
    error_message = "execution_role_arn must be an ARN."
  }
}

variable "log_group_name" {
  description = "Log group that it writes to; its streams begin with `orchestrator`."
  type        = string

  validation {
    condition     = can(regex("^[\\w./#-]{1,512}$", var.log_group_name))
    error_message = "log_group_name must be 1 to 512 letters, digits and ./#_-."
  }
}
