# One row for each fleet, one for the function, and one for what all workers log.

locals {
  region       = data.aws_region.current.name
  fleets       = sort(keys(var.steps_queue_names))
  widget_width = 6
  row_height   = 6

  fleet_widgets = { for fleet in local.fleets : fleet => [
    {
      title = "${fleet}: backlog"
      stat  = "Maximum"
      metrics = [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", var.steps_queue_names[fleet], { label = "waiting" }],
        ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName", var.steps_queue_names[fleet], { label = "in work" }],
      ]
    },
    {
      title   = "${fleet}: age of the oldest message, s"
      stat    = "Maximum"
      metrics = [["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", var.steps_queue_names[fleet], { label = "oldest" }]]
    },
    {
      title   = "${fleet}: running tasks"
      stat    = "SampleCount"
      metrics = [["AWS/ECS", "CPUUtilization", "ClusterName", var.name, "ServiceName", "${var.name}-${fleet}", { label = "running" }]]
    },
    {
      title   = "${fleet}: dead letters"
      stat    = "Maximum"
      metrics = [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", var.dead_letter_queue_names[fleet], { label = "dead letters" }]]
    },
  ] }

  function_widgets = [for function in var.function[*] : [
    {
      title = "function: steps at once"
      stat  = "Maximum"
      metrics = [
        ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", function.name, { label = "at once" }],
      ]
    },
    {
      title = "function: invocations a minute"
      stat  = "Sum"
      metrics = [
        ["AWS/Lambda", "Invocations", "FunctionName", function.name, { label = "invoked" }],
        ["AWS/Lambda", "Errors", "FunctionName", function.name, { label = "failed" }],
        ["AWS/Lambda", "Throttles", "FunctionName", function.name, { label = "had to wait" }],
      ]
    },
    {
      title   = "function: age of the oldest message, ms"
      stat    = "Maximum"
      metrics = [["AWS/Lambda", "AsyncEventAge", "FunctionName", function.name, { label = "oldest" }]]
    },
    {
      title = "function: dead letters"
      stat  = "Maximum"
      metrics = [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", function.dead_letter_queue_name, { label = "dead letters" }],
        ["AWS/Lambda", "DeadLetterErrors", "FunctionName", function.name, { label = "not even that", stat = "Sum" }],
      ]
    },
  ]]

  log_widgets = [for metric, title in {
    StepsDone     = "steps done a minute"
    ExecutorsLost = "executors lost"
    Errors        = "errors logged"
  } : { title = title, stat = "Sum", metrics = [[local.namespace, metric, { label = title }]] }]

  rows = concat([for fleet in local.fleets : local.fleet_widgets[fleet]], local.function_widgets, [local.log_widgets])
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "${var.name}-${local.region}"
  dashboard_body = jsonencode({
    widgets = flatten([for row, widgets in local.rows : [for column, widget in widgets : {
      type   = "metric"
      x      = column * local.widget_width
      y      = row * local.row_height
      width  = local.widget_width
      height = local.row_height
      properties = {
        title   = widget.title
        metrics = widget.metrics
        stat    = widget.stat
        period  = 60
        region  = local.region
        view    = "timeSeries"
        yAxis   = { left = { min = 0 } }
      }
    }]])
  })
}
