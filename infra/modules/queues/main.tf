data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  # Built from names, so that policies are known when a plan is made.
  arn_prefix = "arn:${data.aws_partition.current.partition}:sqs:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"

  steps        = { for fleet in var.fleets : fleet => "${var.name}-${fleet}-steps" }
  dead_letters = { for fleet in var.fleets : fleet => "${var.name}-${fleet}-steps-dead" }
  # Not below the prefix of the runs' own results queues: clean-up deletes what is left there.
  results = "${var.name}-fixed-results"

  # AWS's quota, in seconds: two weeks. A dead letter keeps the age that it had.
  dead_letter_retention_seconds = 1209600
  # Longer than STEP_EXPIRY, after which a worker deletes a step message by itself.
  steps_retention_seconds = 345600
  long_poll_seconds       = 20
}

resource "aws_sqs_queue" "steps" {
  for_each = local.steps

  name                       = each.value
  visibility_timeout_seconds = var.visibility_timeout_seconds
  message_retention_seconds  = local.steps_retention_seconds
  receive_wait_time_seconds  = local.long_poll_seconds
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters[each.key].arn
    maxReceiveCount     = var.max_receive_count
  })
}

resource "aws_sqs_queue" "dead_letters" {
  for_each = local.dead_letters

  name                       = each.value
  visibility_timeout_seconds = var.visibility_timeout_seconds
  message_retention_seconds  = local.dead_letter_retention_seconds
  sqs_managed_sse_enabled    = true
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  for_each = aws_sqs_queue.dead_letters

  queue_url = each.value.id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.steps[each.key].arn]
  })
}

resource "aws_sqs_queue" "results" {
  count = var.results_queue ? 1 : 0

  name                       = local.results
  visibility_timeout_seconds = var.visibility_timeout_seconds
  message_retention_seconds  = local.steps_retention_seconds
  receive_wait_time_seconds  = local.long_poll_seconds
  sqs_managed_sse_enabled    = true
}

locals {
  queues = merge(
    { for fleet, queue in aws_sqs_queue.steps : local.steps[fleet] => queue.id },
    { for fleet, queue in aws_sqs_queue.dead_letters : local.dead_letters[fleet] => queue.id },
    { for queue in aws_sqs_queue.results : local.results => queue.id },
  )
}

resource "aws_sqs_queue_policy" "tls_only" {
  for_each = local.queues

  queue_url = each.value
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = "${local.arn_prefix}:${each.key}"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
