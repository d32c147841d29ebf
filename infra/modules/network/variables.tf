variable "name" {
  description = "Name of the stack: what is created here is called after it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "name must be 2 to 20 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "vpc_id" {
  description = "VPC of your own. Null: a small one is made, without a way to or from the internet."
  type        = string
  default     = null

  validation {
    condition     = var.vpc_id == null || can(regex("^vpc-[0-9a-f]+$", var.vpc_id))
    error_message = "vpc_id must look like vpc-0123456789abcdef0."
  }
}

variable "subnet_ids" {
  description = "Subnets of your VPC that tasks run in. They need a way to S3, SQS, ECR, ECS, CloudWatch Logs and, with a function, Lambda: endpoints or a NAT."
  type        = list(string)
  default     = null

  validation {
    condition     = (var.subnet_ids == null) == (var.vpc_id == null)
    error_message = "vpc_id and subnet_ids go together: give both, or neither to have a VPC made."
  }

  validation {
    condition     = var.subnet_ids == null || try(length(var.subnet_ids) > 0 && alltrue([for id in var.subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))]), false)
    error_message = "subnet_ids must name at least one subnet, each like subnet-0123456789abcdef0."
  }
}

variable "vpc_cidr" {
  description = "Address range of the VPC that is made. It is split into 16 parts, one for each zone."
  type        = string
  default     = "10.73.0.0/20"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 24, false)
    error_message = "vpc_cidr must be a range such as 10.73.0.0/20, from /16 to /24."
  }
}

variable "zone_count" {
  description = "Availability zones of the VPC that is made. Each interface endpoint is paid for in each zone; workers in one zone measure the same network."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 2, 3], var.zone_count)
    error_message = "zone_count must be 1, 2 or 3."
  }
}

variable "instance_types" {
  description = "EC2 instance types of the fleets: the zones of the VPC that is made offer all of them."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for type in var.instance_types : can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", type))])
    error_message = "instance_types must look like c7g.4xlarge."
  }
}

variable "with_function" {
  description = "Whether an orchestrator in this network invokes a Lambda function. The function itself is not in it."
  type        = bool
  default     = false
}
