variable "name" {
  description = "Name of the stack: the function and its dead-letter queue are called after it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "name must be 2 to 20 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "image" {
  description = "Container image in ECR of the stack's region, for one architecture, with its tag or digest."
  type        = string

  # https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#images-reqs
  validation {
    condition     = can(regex("^[0-9]{12}[.]dkr[.]ecr[.]${data.aws_region.current.name}[.][a-z.]+/[a-z0-9._/-]+(:[\\w][\\w.-]*|@sha256:[0-9a-f]{64})$", var.image))
    error_message = "image must be in ECR of the stack's region, with a tag or digest, such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/stepbench:latest-amd64: Lambda takes no other."
  }
}

variable "architecture" {
  description = "amd64 or arm64: the one that the image was built for."
  type        = string
  default     = "amd64"

  validation {
    condition     = contains(["amd64", "arm64"], var.architecture)
    error_message = "architecture must be amd64 or arm64."
  }
}

variable "max" {
  description = "Steps at once, at most. They are kept for this function out of what all functions of the account may run together."
  type        = number

  validation {
    condition     = var.max >= 1 && var.max <= 1000 && floor(var.max) == var.max
    error_message = "max must be a whole number from 1 to 1000: no function is without a limit."
  }
}

variable "memory" {
  description = "Memory in MiB. Cores come with it: one for each 1,769."
  type        = number
  default     = 1769

  validation {
    condition     = var.memory >= 512 && var.memory <= 10240 && floor(var.memory) == var.memory
    error_message = "memory must be a whole number from 512 to 10240."
  }
}

variable "timeout_seconds" {
  description = "What an invocation, and with it a step, may take at most."
  type        = number
  default     = 900

  validation {
    condition     = var.timeout_seconds >= 30 && var.timeout_seconds <= 900 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds must be a whole number from 30 to 900, the longest that Lambda takes."
  }
}

variable "storage_mib" {
  description = "Size of /tmp in MiB. The first 512 cost nothing."
  type        = number
  default     = 512

  validation {
    condition     = var.storage_mib >= 512 && var.storage_mib <= 10240 && floor(var.storage_mib) == var.storage_mib
    error_message = "storage_mib must be a whole number from 512 to 10240."
  }
}

variable "environment" {
  description = "Settings of the worker in it, by name of the variable."
  type        = map(string)

  validation {
    condition     = alltrue([for variable in keys(var.environment) : can(regex("^[A-Z][A-Z0-9_]*$", variable)) && !startswith(variable, "AWS_")])
    error_message = "environment must be named by variables in upper case, such as ORCH_BUCKET, and none that begins with AWS_: Lambda keeps those for itself."
  }
}

variable "role_arn" {
  description = "Role that the function's calls are made as, its log lines written and its dead letters sent."
  type        = string

  validation {
    condition     = can(regex("^arn:", var.role_arn))
    error_message = "role_arn must be an ARN."
  }
}

variable "log_group_name" {
  description = "Log group that it writes to."
  type        = string

  validation {
    condition     = can(regex("^[\\w./#-]{1,512}$", var.log_group_name))
    error_message = "log_group_name must be 1 to 512 letters, digits and ./#_-."
  }
}

variable "visibility_timeout_seconds" {
  description = "How long a dead letter that somebody looks at stays hidden from others."
  type        = number
  default     = 120

  validation {
    condition     = var.visibility_timeout_seconds >= 10 && var.visibility_timeout_seconds <= 43200
    error_message = "visibility_timeout_seconds must be from 10 to 43200."
  }
}
