data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  function     = "${var.name}-function"
  dead_letters = "${var.name}-function-dead"

  # Built from names, so that policies are known when a plan is made.
  partition = data.aws_partition.current.partition
  place     = "${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"
  arn       = "arn:${local.partition}:lambda:${local.place}:function:${local.function}"
  queue_arn = "arn:${local.partition}:sqs:${local.place}:${local.dead_letters}"

  # AWS's quota, in seconds: two weeks.
  dead_letter_retention_seconds = 1209600
  # The longest that Lambda takes, 6 hours: waiting for room is no failure of a step, and one that is given up costs an
  # attempt. What outlived its run is dropped by the function, which looks at the message's expiry.
  # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
  event_age_seconds = 21600
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_50:the phases of every step are in its sample; X-Ray would be paid for by the trace to say less
  #checkov:skip=CKV_AWS_117:it calls S3 and SQS alone, which need no VPC; network interfaces would make destroy take long
  #checkov:skip=CKV_AWS_173:what its variables say is no secret: names of a bucket, a prefix and queues
  #checkov:skip=CKV_AWS_272:Lambda checks signatures of zip archives; a function from an image can have none
  function_name = local.function
  description   = "Does steps of ${var.name}"
  role          = var.role_arn
  package_type  = "Image"
  image_uri     = var.image
  architectures = [var.architecture == "arm64" ? "arm64" : "x86_64"]
  memory_size   = var.memory
  timeout       = var.timeout_seconds
  # What it costs has an upper bound: so many at once, and no more.
  reserved_concurrent_executions = var.max

  image_config {
    entry_point = ["python", "-m", "awslambdaric"]
    command     = ["worker.lambda_handler.handle"]
  }

  # /tmp, the one place that it writes to.
  ephemeral_storage {
    size = var.storage_mib
  }

  # Lambda sets AWS_REGION itself, and refuses it here.
  environment {
    variables = merge({ LOG_FORMAT = "json" }, var.environment)
  }

  # The worker's lines are JSON as they are: in its own JSON format Lambda would put them into another.
  logging_config {
    log_format = "Text"
    log_group  = var.log_group_name
  }

  dead_letter_config {
    target_arn = aws_sqs_queue.dead_letters.arn
  }
}

resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = aws_lambda_function.this.function_name
  maximum_event_age_in_seconds = local.event_age_seconds
  # Attempts are the orchestrator's.
  maximum_retry_attempts = 0
}

resource "aws_sqs_queue" "dead_letters" {
  name                       = local.dead_letters
  visibility_timeout_seconds = var.visibility_timeout_seconds
  message_retention_seconds  = local.dead_letter_retention_seconds
  sqs_managed_sse_enabled    = true
}

resource "aws_sqs_queue_policy" "tls_only" {
  queue_url = aws_sqs_queue.dead_letters.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = local.queue_arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
