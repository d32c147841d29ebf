locals {
  image         = var.image != null ? var.image : "${aws_ecr_repository.this[0].repository_url}:latest"
  default_fleet = coalesce(var.default_fleet, sort(keys(var.fleets))[0])

  results_queue_prefix = "${var.name}-results-"

  # Lambda takes no name that images of several architectures are joined under: scripts/push-image pushes each by itself
  # too. The repository is named by its policy's, for Lambda looks whether it may pull when the function is made.
  pullable = var.image != null ? [var.image] : [
    for policy in aws_ecr_repository_policy.function :
    "${split("/", aws_ecr_repository.this[0].repository_url)[0]}/${policy.repository}:latest"
  ]
  function_image = one([for function in var.function[*] : coalesce(function.image, "${one(local.pullable)}-${function.architecture}")])

  # What workers and orchestrators are both told.
  settings = merge(
    {
      ORCH_BUCKET               = module.storage.bucket
      ORCH_PREFIX               = "${var.prefix}{date}/{run_id}/"
      ORCH_RESULTS_QUEUE_PREFIX = local.results_queue_prefix
    },
    var.results_queue ? { ORCH_RESULTS_QUEUE_URL = module.queues.results_queue_url } : {},
  )

  # What only orchestrators are told: they tell workers in each step message.
  orchestrator_settings = merge(
    local.settings,
    { ORCH_STEPS_QUEUE_URL = module.queues.steps_queue_urls[local.default_fleet] },
    module.storage.sse == null ? {} : { SSE = module.storage.sse },
    module.storage.encrypts_with_key ? { KMS_KEY_ID = module.storage.kms_key_arn } : {},
    { ORCH_FLEETS = jsonencode(module.fleets.fleets) },
    var.function == null ? {} : { ORCH_LAMBDA_FUNCTION = module.lambda[0].arn },
  )
}

data "aws_region" "current" {}

resource "aws_ecr_repository" "this" {
  count = var.image == null ? 1 : 0

  name = var.name
  # `latest` moves with every push.
  image_tag_mutability = "MUTABLE"
  force_delete         = true

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  count = var.image == null ? 1 : 0

  repository = aws_ecr_repository.this[0].name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Images that no tag names any more"
      selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
      action       = { type = "expire" }
    }]
  })
}

resource "aws_ecr_repository_policy" "function" {
  count = var.image == null && var.function != null ? 1 : 0

  repository = aws_ecr_repository.this[0].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "FunctionPulls"
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      # Of this stack's function, with or without a version behind it, and of nobody else's.
      # https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#gettingstarted-images-permissions
      Condition = { ArnLike = { "aws:SourceArn" = [module.lambda[0].arn, "${module.lambda[0].arn}:*"] } }
    }]
  })
}

module "queues" {
  source = "./modules/queues"

  name                       = var.name
  fleets                     = toset(keys(var.fleets))
  visibility_timeout_seconds = var.visibility_timeout_seconds
  results_queue              = var.results_queue
}

module "storage" {
  source = "./modules/storage"

  name                = var.name
  bucket_name         = var.bucket_name
  create_kms_key      = var.create_kms_key
  kms_key_arn         = var.kms_key_arn
  payload_expiry_days = var.payload_expiry_days
}

module "network" {
  source = "./modules/network"

  name           = var.name
  vpc_id         = var.vpc_id
  subnet_ids     = var.subnet_ids
  vpc_cidr       = var.vpc_cidr
  zone_count     = var.zone_count
  instance_types = toset([for fleet in var.fleets : fleet.instance_type if fleet.launch == "ec2"])
  with_function  = var.function != null
}

module "observability" {
  source = "./modules/observability"

  name                    = var.name
  steps_queue_names       = module.queues.steps_queue_names
  dead_letter_queue_names = module.queues.dead_letter_queue_names
  function                = var.function == null ? null : { name = module.lambda[0].name, dead_letter_queue_name = module.lambda[0].dead_letter_queue_name }
  log_retention_days      = var.log_retention_days
  alarm_email             = var.alarm_email
  budget_email            = var.budget_email
  budget_usd              = var.budget_usd
  budget_tag              = var.budget_tag
}

module "iam" {
  source = "./modules/iam"

  name                     = var.name
  permissions_boundary_arn = var.permissions_boundary_arn
  bucket_arn               = module.storage.bucket_arn
  literal_prefix           = var.prefix
  kms_key_arn              = module.storage.kms_key_arn
  encrypts_with_key        = module.storage.encrypts_with_key
  steps_queue_arns         = module.queues.steps_queue_arns
  dead_letter_queue_arns   = module.queues.dead_letter_queue_arns
  results_queue_prefix     = local.results_queue_prefix
  results_queue_arn        = module.queues.results_queue_arn
  image                    = local.image
  log_group_name           = module.observability.log_group_name
  with_hosts               = anytrue([for fleet in var.fleets : fleet.launch == "ec2"])
  function                 = var.function == null ? null : { arn = module.lambda[0].arn, dead_letter_queue_arn = module.lambda[0].dead_letter_queue_arn }
}

module "fleets" {
  source = "./modules/fleets"

  name                  = var.name
  fleets                = var.fleets
  image                 = local.image
  environment           = merge(local.settings, { VISIBILITY_TIMEOUT = tostring(var.visibility_timeout_seconds) })
  steps_queue_urls      = module.queues.steps_queue_urls
  steps_queue_names     = module.queues.steps_queue_names
  task_role_arns        = module.iam.task_role_arns
  execution_role_arn    = module.iam.execution_role_arn
  host_profile_arn      = module.iam.host_profile_arn
  subnet_ids            = module.network.subnet_ids
  security_group_id     = module.network.security_group_id
  log_group_name        = module.observability.log_group_name
  drain_timeout_seconds = var.drain_timeout_seconds
  idle_minutes          = var.idle_minutes
}

module "lambda" {
  source = "./modules/lambda"
  count  = var.function == null ? 0 : 1

  name                       = var.name
  image                      = local.function_image
  architecture               = var.function.architecture
  max                        = var.function.max
  memory                     = var.function.memory
  timeout_seconds            = var.function.timeout_seconds
  storage_mib                = var.function.storage_mib
  environment                = local.settings
  role_arn                   = module.iam.function_role_arn
  log_group_name             = module.observability.log_group_name
  visibility_timeout_seconds = var.visibility_timeout_seconds
}

module "orchestrator" {
  source = "./modules/orchestrator"

  name               = var.name
  image              = local.image
  architecture       = module.fleets.fleets[local.default_fleet].architecture
  environment        = local.orchestrator_settings
  task_role_arn      = module.iam.orchestrator_role_arn
  execution_role_arn = module.iam.execution_role_arn
  log_group_name     = module.observability.log_group_name
}
