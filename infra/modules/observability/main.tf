data "aws_region" "current" {}

locals {
  namespace = "Stepbench/${var.name}"

  # What workers log, by the name of the metric it becomes. `count` is how many steps a line is about.
  filters = {
    StepsDone     = { pattern = "{ $.event = \"steps done\" }", value = "$.count" }
    ExecutorsLost = { pattern = "{ $.event = \"executor lost\" }", value = "1" }
    Errors        = { pattern = "{ $.level = \"error\" }", value = "1" }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:log lines hold identities of steps and no payload; CloudWatch Logs encrypts them with its own key
  #checkov:skip=CKV_AWS_338:logs of a benchmark are read within days; log_retention_days keeps them longer for who wants it
  name              = "/stepbench/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_metric_filter" "workers" {
  for_each = local.filters

  name           = each.key
  log_group_name = aws_cloudwatch_log_group.this.name
  pattern        = each.value.pattern

  metric_transformation {
    namespace = local.namespace
    name      = each.key
    value     = each.value.value
    unit      = "Count"
  }
}

resource "aws_sns_topic" "alarms" {
  #checkov:skip=CKV_AWS_26:it carries names of queues and numbers; CloudWatch cannot publish under the AWS managed key
  count = var.alarm_email == null ? 0 : 1

  name = "${var.name}-alarms"
}

resource "aws_sns_topic_subscription" "alarms" {
  count = var.alarm_email == null ? 0 : 1

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = merge(var.dead_letter_queue_names, { for function in var.function[*] : "function" => function.dead_letter_queue_name })

  alarm_name          = "${var.name}-${each.key}-dead-letters"
  alarm_description   = "Steps of ${each.key} were given up by ${each.key == "function" ? "Lambda: its log says why" : "SQS: python -m orchestrator dead-letters shows them"}"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = each.value }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = aws_sns_topic.alarms[*].arn
  ok_actions          = aws_sns_topic.alarms[*].arn
}

resource "aws_cloudwatch_metric_alarm" "oldest_message" {
  for_each = var.steps_queue_names

  alarm_name          = "${var.name}-${each.key}-oldest-message"
  alarm_description   = "A step of ${each.key} waits for more than ${var.oldest_message_seconds} s: are there workers?"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = each.value }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.oldest_message_seconds
  treat_missing_data  = "notBreaching"
  alarm_actions       = aws_sns_topic.alarms[*].arn
  ok_actions          = aws_sns_topic.alarms[*].arn
}

resource "aws_budgets_budget" "month" {
  count = var.budget_email == null ? 0 : 1

  name         = "${var.name}-${data.aws_region.current.name}"
  budget_type  = "COST"
  limit_amount = tostring(var.budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  dynamic "cost_filter" {
    for_each = var.budget_tag == null ? [] : ["user:${var.budget_tag}"]

    content {
      name   = "TagKeyValue"
      values = [cost_filter.value]
    }
  }

  notification {
    comparison_operator        = "GREATER_THAN"
    notification_type          = "ACTUAL"
    threshold                  = 80
    threshold_type             = "PERCENTAGE"
    subscriber_email_addresses = [var.budget_email]
  }

  notification {
    comparison_operator        = "GREATER_THAN"
    notification_type          = "FORECASTED"
    threshold                  = 100
    threshold_type             = "PERCENTAGE"
    subscriber_email_addresses = [var.budget_email]
  }
}
