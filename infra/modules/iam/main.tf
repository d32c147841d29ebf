data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name
  account   = data.aws_caller_identity.current.account_id
  sqs       = "arn:${local.partition}:sqs:${local.region}:${local.account}"
  ecs       = "arn:${local.partition}:ecs:${local.region}:${local.account}"

  # IAM knows no regions: without it two stacks of one account would want the same names.
  prefix = "${var.name}-${local.region}"
  fleets = toset(keys(var.steps_queue_arns))

  cases = compact([
    var.encrypts_with_key ? "key" : "",
    var.results_queue_arn != null ? "fixed_results_queue" : "",
    var.function != null ? "function" : "",
  ])

  # What `python -m orchestrator policy` prints, with tokens for what is named here. `make docs` writes it.
  statements = { for role, statements in jsondecode(file("${path.module}/policies.json")) : role => [
    for statement in statements : statement
    if alltrue([for case in statement.needs : contains(local.cases, case)]) && !anytrue([for case in statement.without : contains(local.cases, case)])
  ] }

  resources = {
    objects        = "${var.bucket_arn}/${var.literal_prefix}*"
    bucket         = var.bucket_arn
    results_queues = coalesce(var.results_queue_arn, "${local.sqs}:${var.results_queue_prefix}*")
    key            = var.kms_key_arn
    tasks          = "${local.ecs}:task/${var.name}/*"
    function       = try(var.function.arn, null)
    everything     = "*"
  }
  of_fleet = { for fleet in local.fleets : fleet => merge(local.resources, {
    steps_queue       = var.steps_queue_arns[fleet]
    dead_letter_queue = var.dead_letter_queue_arns[fleet]
    service           = local.services[fleet]
  }) }
  # One stands by itself, several in a list. (The two are of different types: no conditional takes both.)
  several = length(local.fleets) > 1 ? 1 : 0
  of_all_fleets = merge(local.resources, {
    steps_queue       = [values(var.steps_queue_arns)[0], values(var.steps_queue_arns)][local.several]
    dead_letter_queue = [local.dead_letter_queues[0], local.dead_letter_queues][length(local.dead_letter_queues) > 1 ? 1 : 0]
    service           = [values(local.services)[0], values(local.services)][local.several]
  })
  services           = { for fleet in local.fleets : fleet => "${local.ecs}:service/${var.name}/${var.name}-${fleet}" }
  dead_letter_queues = concat([for fleet in keys(var.steps_queue_arns) : var.dead_letter_queue_arns[fleet]], compact([try(var.function.dead_letter_queue_arn, null)]))

  # A worker has the queue of its own fleet, and a function has none; who starts and looks after runs has those of all.
  documents = merge(
    { for fleet in local.fleets : "worker/${fleet}" => { role = "worker", resources = local.of_fleet[fleet] } },
    var.function == null ? {} : { function = { role = "function", resources = local.resources } },
    { for role in ["orchestrator", "operator"] : role => { role = role, resources = local.of_all_fleets } },
  )
  policies = { for document, of in local.documents : document => jsonencode({
    Version = "2012-10-17"
    Statement = [for statement in local.statements[of.role] : merge(
      { Sid = statement.Sid, Effect = "Allow", Action = statement.Action, Resource = of.resources[statement.on] },
      length(statement.Condition) == 0 ? {} : {
        Condition = jsondecode(replace(jsonencode(statement.Condition), "{below}", "${var.literal_prefix}*"))
      },
    )]
  }) }
}

# ------------------------------------------------------------------------------------------------------- who tasks are

locals {
  # Only tasks of this account and region: the service must not be talked into using the role for anybody else's.
  # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
  trust_of_tasks = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account}:*" }
      }
    }]
  })
}

resource "aws_iam_role" "worker" {
  for_each = local.fleets

  name                 = "${local.prefix}-${each.value}-worker"
  description          = "Workers of ${var.name}, fleet ${each.value}"
  assume_role_policy   = local.trust_of_tasks
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "worker" {
  for_each = local.fleets

  name   = "worker"
  role   = aws_iam_role.worker[each.value].id
  policy = local.policies["worker/${each.value}"]
}

resource "aws_iam_role" "orchestrator" {
  name                 = "${local.prefix}-orchestrator"
  description          = "The orchestrator of ${var.name} as a task"
  assume_role_policy   = local.trust_of_tasks
  permissions_boundary = var.permissions_boundary_arn
}

# To attach to whoever runs `start` from outside, too.
resource "aws_iam_policy" "orchestrator" {
  name        = "${local.prefix}-orchestrator"
  description = "What starting runs on ${var.name} needs"
  policy      = local.policies["orchestrator"]
}

resource "aws_iam_role_policy_attachment" "orchestrator" {
  role       = aws_iam_role.orchestrator.name
  policy_arn = aws_iam_policy.orchestrator.arn
}

resource "aws_iam_policy" "operator" {
  name        = "${local.prefix}-operator"
  description = "What looking after dead letters and remains of ${var.name} needs"
  policy      = local.policies["operator"]
}
