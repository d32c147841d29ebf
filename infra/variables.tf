variable "name" {
  description = "Name of the stack. All that is made is called after it; two stacks in one account and region want two names."
  type        = string
  default     = "stepbench"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", var.name))
    error_message = "name must be 2 to 20 lower-case letters, digits and hyphens, beginning with a letter."
  }

  # AWS keeps these beginnings of names of clusters and capacity providers for itself.
  validation {
    condition     = !can(regex("^(aws|ecs|fargate)", var.name))
    error_message = "name must not begin with aws, ecs or fargate."
  }

  # What begins with another stack's NAME-results- would be taken for the results queues of its runs, and cleaned up.
  validation {
    condition     = !can(regex("-results(-|$)", var.name))
    error_message = "name must not hold -results."
  }
}

variable "region" {
  description = "AWS region. Null: what the environment says (AWS_REGION)."
  type        = string
  default     = null

  validation {
    condition     = var.region == null || can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$", var.region))
    error_message = "region must look like eu-west-1."
  }
}

variable "allowed_account_ids" {
  description = "Accounts that this may be applied in, so that no wrong credentials build it elsewhere. Null: any."
  type        = list(string)
  default     = null

  validation {
    condition     = var.allowed_account_ids == null || try(length(var.allowed_account_ids) > 0 && alltrue([for id in var.allowed_account_ids : can(regex("^[0-9]{12}$", id))]), false)
    error_message = "allowed_account_ids must name at least one account, each 12 digits."
  }
}

variable "tags" {
  description = "Tags on everything, beside stepbench = NAME."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.tags) : !can(regex("(?i)^aws:", key)) && !contains(["Name", "AmazonECSManaged"], key)])
    error_message = "tags must not begin with aws:, nor be called Name or AmazonECSManaged: those are set for each resource."
  }
}

variable "image" {
  description = "Container image with its tag or digest. Null: `latest` in an ECR repository that is made for it."
  type        = string
  default     = null

  validation {
    condition     = var.image == null || can(regex("^[a-z0-9][a-z0-9._/-]*(:[0-9]+/[a-z0-9._/-]+)?(:[\\w][\\w.-]*)?(@sha256:[0-9a-f]{64})?$", var.image))
    error_message = "image must be a reference such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/stepbench:1.0."
  }

  validation {
    condition     = var.image == null || var.vpc_id != null || can(regex("^[0-9]{12}[.]dkr[.]ecr[.]${data.aws_region.current.name}[.]", var.image))
    error_message = "image must be in ECR of the stack's region where vpc_id is null: the VPC that is made has a way to no other registry."
  }
}

variable "fleets" {
  description = "What runs where, by name of the fleet. `launch = \"fargate\"` with `cpu` (1024 is one vCPU), `memory` (MiB) and maybe `architecture` (amd64, arm64); or `launch = \"ec2\"` with `instance_type`, one worker on each instance. `max`: workers at most. `spot`: cheaper capacity that AWS may take back. `executors`: steps a worker runs at once, its cores where not set. `steps_per_task`: backlog for each worker that the fleet grows for, its executors where not set. `storage_gib`: the disk of a task or an instance."
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
  default = {
    small = {
      launch = "fargate"
      cpu    = 1024
      memory = 4096
      max    = 10
    }
  }
  nullable = false

  validation {
    condition     = length(var.fleets) > 0 && alltrue([for name in keys(var.fleets) : can(regex("^[a-z][a-z0-9-]{0,14}[a-z0-9]$", name))])
    error_message = "fleets must have at least one fleet; each name is 2 to 16 lower-case letters, digits and hyphens, beginning with a letter."
  }

  # An IAM policy has 6,144 characters at most, and the orchestrator's names every fleet.
  validation {
    condition     = length(var.fleets) <= 10
    error_message = "fleets must be at most 10; make another stack for more."
  }

  # A subnet is a sixteenth of vpc_cidr. Of its addresses AWS keeps 5, endpoints take up to 7 and one more with a function,
  # and the orchestrator one.
  validation {
    condition = var.vpc_id != null || try(
      sum([for fleet in var.fleets : fleet.max * (fleet.launch == "ec2" ? 2 : 1)]) + 1 <= var.zone_count * (pow(2, 28 - tonumber(split("/", var.vpc_cidr)[1])) - (var.function == null ? 12 : 13)),
      true,
    )
    error_message = "fleets may start more workers than vpc_cidr has addresses for (one for each on Fargate, two on EC2): lower max, or give a larger vpc_cidr, up to /16, or more zones."
  }

  validation {
    condition     = alltrue([for name in keys(var.fleets) : !can(regex("^(orchestrator$|function$|results$|results-)", name))])
    error_message = "A fleet must not be called orchestrator, function, nor results: those names are taken."
  }

  validation {
    condition     = alltrue([for fleet in var.fleets : contains(["fargate", "ec2"], fleet.launch)])
    error_message = "launch must be fargate or ec2."
  }

  validation {
    condition     = alltrue([for fleet in var.fleets : fleet.launch != "fargate" || fleet.instance_type == null])
    error_message = "instance_type is for launch = \"ec2\"; a fargate fleet has cpu and memory."
  }

  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size
  validation {
    condition = alltrue([for fleet in var.fleets : fleet.launch != "fargate" || try(contains(
      {
        "256"   = [512, 1024, 2048]
        "512"   = range(1024, 4097, 1024)
        "1024"  = range(2048, 8193, 1024)
        "2048"  = range(4096, 16385, 1024)
        "4096"  = range(8192, 30721, 1024)
        "8192"  = range(16384, 61441, 4096)
        "16384" = range(32768, 122881, 8192)
    }[tostring(fleet.cpu)], fleet.memory), false)])
    error_message = "A fargate fleet needs a cpu and a memory that Fargate offers together: 256 with 512, 1024 or 2048; 512 with 1024 to 4096; 1024 with 2048 to 8192; 2048 with 4096 to 16384; 4096 with 8192 to 30720, all by 1024; 8192 with 16384 to 61440 by 4096; 16384 with 32768 to 122880 by 8192."
  }

  validation {
    condition     = alltrue([for fleet in var.fleets : fleet.launch != "ec2" || can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", fleet.instance_type))])
    error_message = "An ec2 fleet needs an instance_type such as c7g.4xlarge."
  }

  validation {
    condition     = alltrue([for fleet in var.fleets : fleet.launch != "ec2" || (fleet.cpu == null && fleet.architecture == null)])
    error_message = "cpu and architecture of an ec2 fleet follow its instance_type: leave them out."
  }

  validation {
    condition     = alltrue([for fleet in var.fleets : fleet.architecture == null ? true : contains(["amd64", "arm64"], fleet.architecture)])
    error_message = "architecture must be amd64 or arm64."
  }

  validation {
    condition     = alltrue([for fleet in var.fleets : fleet.max >= 1 && fleet.max <= 1000 && floor(fleet.max) == fleet.max])
    error_message = "max must be a whole number from 1 to 1000: no fleet is without a limit."
  }

  validation {
    condition     = alltrue([for fleet in var.fleets : fleet.executors == null ? true : fleet.executors >= 1 && fleet.executors <= 1024 && floor(fleet.executors) == fleet.executors])
    error_message = "executors must be a whole number from 1 to 1024."
  }

  validation {
    condition     = alltrue([for fleet in var.fleets : fleet.steps_per_task == null ? true : fleet.steps_per_task >= 1])
    error_message = "steps_per_task must be at least 1."
  }

  validation {
    condition     = alltrue([for fleet in var.fleets : fleet.storage_gib == null ? true : fleet.launch == "fargate" ? fleet.storage_gib >= 21 && fleet.storage_gib <= 200 : fleet.storage_gib >= 30 && fleet.storage_gib <= 16384])
    error_message = "storage_gib must be from 21 to 200 for fargate, and from 30 to 16384 for ec2."
  }
}

variable "default_fleet" {
  description = "Fleet that a run without `--fleet` goes to. Null: the first by name."
  type        = string
  default     = null

  validation {
    condition     = var.default_fleet == null || contains(keys(var.fleets), coalesce(var.default_fleet, "?"))
    error_message = "default_fleet must be one of the fleets."
  }
}

variable "function" {
  description = "A Lambda function that does steps too, for `start --channel lambda`. `max`: steps at once, at most, kept for it out of what the account's functions may run together. `memory` (MiB; 1769 is one vCPU). `timeout_seconds`: what a step may take. `architecture` (amd64, arm64). `storage_mib`: its /tmp. `image`: one for that architecture in ECR; where not set, what `scripts/push-image` pushed for it beside `image`, as `TAG-amd64` or `TAG-arm64`. Null: no function."
  type = object({
    max             = number
    memory          = optional(number, 1769)
    timeout_seconds = optional(number, 900)
    architecture    = optional(string, "amd64")
    storage_mib     = optional(number, 512)
    image           = optional(string)
  })
  default = null

  validation {
    condition     = var.function == null || try(var.function.max >= 1 && var.function.max <= 1000 && floor(var.function.max) == var.function.max, false)
    error_message = "max of the function must be a whole number from 1 to 1000: no function is without a limit."
  }

  validation {
    condition     = var.function == null || try(var.function.memory >= 512 && var.function.memory <= 10240 && floor(var.function.memory) == var.function.memory, false)
    error_message = "memory of the function must be a whole number from 512 to 10240."
  }

  validation {
    condition     = var.function == null || try(var.function.timeout_seconds >= 30 && var.function.timeout_seconds <= 900 && floor(var.function.timeout_seconds) == var.function.timeout_seconds, false)
    error_message = "timeout_seconds of the function must be a whole number from 30 to 900, the longest that Lambda takes."
  }

  validation {
    condition     = var.function == null || contains(["amd64", "arm64"], try(var.function.architecture, "?"))
    error_message = "architecture of the function must be amd64 or arm64."
  }

  validation {
    condition     = var.function == null || try(var.function.storage_mib >= 512 && var.function.storage_mib <= 10240 && floor(var.function.storage_mib) == var.function.storage_mib, false)
    error_message = "storage_mib of the function must be a whole number from 512 to 10240."
  }

  # https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#images-reqs
  validation {
    condition     = try(var.function.image, null) == null || can(regex("^[0-9]{12}[.]dkr[.]ecr[.]${data.aws_region.current.name}[.][a-z.]+/[a-z0-9._/-]+(:[\\w][\\w.-]*|@sha256:[0-9a-f]{64})$", var.function.image))
    error_message = "image of the function must be in ECR of the stack's region, with a tag or digest, such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/stepbench:1.0-amd64: Lambda takes no other."
  }

  validation {
    condition     = var.function == null || try(var.function.image, null) != null || var.image == null || can(regex("^[0-9]{12}[.]dkr[.]ecr[.]${data.aws_region.current.name}[.][a-z.]+/[a-z0-9._/-]+:[\\w][\\w.-]*$", var.image))
    error_message = "function needs an image of its own where image is not in ECR of the stack's region with a tag, beside which scripts/push-image pushed TAG-amd64 and TAG-arm64: Lambda takes no image from elsewhere, and none for several architectures."
  }
}

variable "bucket_name" {
  description = "Bucket of your own for the payloads: it is kept, and nothing about it is changed. Null: one is made, and destroyed with all that is in it."
  type        = string
  default     = null

  validation {
    condition     = var.bucket_name == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name must be 3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

variable "prefix" {
  description = "What all keys of runs begin with. Workers and orchestrators may touch nothing else in the bucket."
  type        = string
  default     = "orchestration-bench/runs/"
  nullable    = false

  validation {
    condition     = can(regex("^([A-Za-z0-9!_.'()=+@:,-]+/)+$", var.prefix)) && !can(regex("(^|/)[.]{1,2}/", var.prefix))
    error_message = "prefix must be folders that end in a slash, such as team/benchmarks/, of letters, digits and !_.'()=+@:,-."
  }
}

variable "create_kms_key" {
  description = "Make a KMS key for the payloads (USD 1 a month), in place of the encryption with S3's own keys."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = "KMS key of your own for the payloads. It is kept."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key: arn:aws:kms:REGION:ACCOUNT:key/ID (an alias cannot stand in a policy)."
  }

  validation {
    condition     = var.kms_key_arn == null || try(split(":", var.kms_key_arn)[3] == data.aws_region.current.name, true)
    error_message = "kms_key_arn must be of the stack's region: S3 takes no key from another one than the bucket's."
  }

  validation {
    condition     = var.kms_key_arn == null || !var.create_kms_key
    error_message = "kms_key_arn and create_kms_key exclude each other: give a key, or have one made."
  }
}

variable "payload_expiry_days" {
  description = "Payloads in the created bucket are deleted after so many days. Metrics files stay."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.payload_expiry_days >= 1 && floor(var.payload_expiry_days) == var.payload_expiry_days
    error_message = "payload_expiry_days must be a whole number, at least 1."
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
  description = "Address range of the VPC that is made."
  type        = string
  default     = "10.73.0.0/20"
  nullable    = false

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 24, false)
    error_message = "vpc_cidr must be a range such as 10.73.0.0/20, from /16 to /24."
  }
}

variable "zone_count" {
  description = "Availability zones of the VPC that is made. Each interface endpoint is paid for in each zone; workers in one zone measure the same network."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = contains([1, 2, 3], var.zone_count)
    error_message = "zone_count must be 1, 2 or 3."
  }
}

variable "results_queue" {
  description = "Make one fixed results queue for all runs, where nobody is to make queues at run time."
  type        = bool
  default     = false
  nullable    = false
}

variable "visibility_timeout_seconds" {
  description = "How long a message that a worker took stays hidden. Workers extend it while a step runs."
  type        = number
  default     = 120
  nullable    = false

  validation {
    condition     = var.visibility_timeout_seconds >= 10 && var.visibility_timeout_seconds <= 43200
    error_message = "visibility_timeout_seconds must be from 10 to 43200."
  }
}

variable "drain_timeout_seconds" {
  description = "Grace that a worker gives its steps when it is told to end. ECS kills it 20 s later."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.drain_timeout_seconds >= 0 && var.drain_timeout_seconds <= 100
    error_message = "drain_timeout_seconds must be from 0 to 100: Fargate kills after 120, and publishing what is finished takes a moment."
  }
}

variable "idle_minutes" {
  description = "A fleet whose queue was empty for so long goes back to zero."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.idle_minutes >= 3 && var.idle_minutes <= 60 && floor(var.idle_minutes) == var.idle_minutes
    error_message = "idle_minutes must be a whole number from 3 to 60."
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

variable "log_retention_days" {
  description = "Log lines are deleted after so many days."
  type        = number
  default     = 14
  nullable    = false

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
  nullable    = false

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
