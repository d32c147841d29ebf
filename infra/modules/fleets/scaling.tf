# How many workers a fleet has.
#
# backlog: messages that wait and messages in work. Both, because the chains of a run keep the number of messages nearly
# the same: measured by what waits alone, a fleet that keeps up would look idle and one that was made smaller busy.
#
#   from zero     something waits and nothing is in work, for one minute: workers are added, the more the more waits
#   while running backlog for each running worker is held at what a worker runs at once (target tracking), upwards only:
#                 a fleet that has one worker more than half of its work needs would be low all the time, and the first
#                 pause between two runs would end it
#   to zero       something runs and there was no backlog for `idle_minutes`: the count is set to 0
#
# SQS's metrics alone say "from zero", so that it does not depend on a metric that a fleet without tasks does not send.
# The running tasks are the samples of the service's CPU metric: one a minute from each, and free of charge.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cloudwatch-metrics.html

locals {
  period_seconds = 60
  # What was added is given so long to come up before the backlog for each *running* task is believed again. On EC2 an
  # instance has to come up first.
  start_seconds = { fargate = 300, ec2 = 600 }

  queue_metrics = {
    waiting = "ApproximateNumberOfMessagesVisible"
    working = "ApproximateNumberOfMessagesNotVisible"
  }
}

resource "aws_appautoscaling_target" "worker" {
  for_each = var.fleets

  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.worker[each.key].name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = 0
  max_capacity       = each.value.max
}

resource "aws_appautoscaling_policy" "backlog" {
  for_each = var.fleets

  name               = "${var.name}-${each.key}-backlog-per-task"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.worker[each.key].service_namespace
  resource_id        = aws_appautoscaling_target.worker[each.key].resource_id
  scalable_dimension = aws_appautoscaling_target.worker[each.key].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = local.steps_per_task[each.key]
    scale_out_cooldown = local.start_seconds[each.value.launch]
    disable_scale_in   = true

    customized_metric_specification {
      dynamic "metrics" {
        for_each = local.queue_metrics

        content {
          id          = metrics.key
          return_data = false

          metric_stat {
            stat = "Maximum"

            metric {
              namespace   = "AWS/SQS"
              metric_name = metrics.value

              dimensions {
                name  = "QueueName"
                value = var.steps_queue_names[each.key]
              }
            }
          }
        }
      }

      metrics {
        id          = "running"
        return_data = false

        metric_stat {
          stat = "SampleCount"

          metric {
            namespace   = "AWS/ECS"
            metric_name = "CPUUtilization"

            dimensions {
              name  = "ClusterName"
              value = aws_ecs_cluster.this.name
            }

            dimensions {
              name  = "ServiceName"
              value = aws_ecs_service.worker[each.key].name
            }
          }
        }
      }

      metrics {
        id          = "backlog_per_task"
        label       = "Backlog for each running task"
        expression  = "(waiting + working) / running"
        return_data = true
      }
    }
  }
}

resource "aws_appautoscaling_policy" "from_zero" {
  for_each = var.fleets

  name               = "${var.name}-${each.key}-from-zero"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.worker[each.key].service_namespace
  resource_id        = aws_appautoscaling_target.worker[each.key].resource_id
  scalable_dimension = aws_appautoscaling_target.worker[each.key].scalable_dimension

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    cooldown                = local.start_seconds[each.value.launch]
    metric_aggregation_type = "Maximum"

    # Bounds are counted from the alarm's threshold, one message. A start with half of what is needed, at least one.
    step_adjustment {
      scaling_adjustment          = 1
      metric_interval_lower_bound = 0
      metric_interval_upper_bound = 4 * local.steps_per_task[each.key] - 1
    }

    step_adjustment {
      scaling_adjustment          = 2
      metric_interval_lower_bound = 4 * local.steps_per_task[each.key] - 1
      metric_interval_upper_bound = 16 * local.steps_per_task[each.key] - 1
    }

    step_adjustment {
      scaling_adjustment          = 8
      metric_interval_lower_bound = 16 * local.steps_per_task[each.key] - 1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "from_zero" {
  for_each = var.fleets

  alarm_name          = "${var.name}-${each.key}-from-zero"
  alarm_description   = "Steps of ${each.key} wait and nobody works: starts workers"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 1
  datapoints_to_alarm = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.from_zero[each.key].arn]

  dynamic "metric_query" {
    for_each = local.queue_metrics

    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = "AWS/SQS"
        metric_name = metric_query.value
        dimensions  = { QueueName = var.steps_queue_names[each.key] }
        period      = local.period_seconds
        stat        = "Maximum"
      }
    }
  }

  metric_query {
    id          = "unattended"
    label       = "Waiting while nobody works"
    expression  = "IF(working == 0, waiting, 0)"
    return_data = true
  }
}

resource "aws_appautoscaling_policy" "to_zero" {
  for_each = var.fleets

  name               = "${var.name}-${each.key}-to-zero"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.worker[each.key].service_namespace
  resource_id        = aws_appautoscaling_target.worker[each.key].resource_id
  scalable_dimension = aws_appautoscaling_target.worker[each.key].scalable_dimension

  step_scaling_policy_configuration {
    adjustment_type         = "ExactCapacity"
    cooldown                = local.period_seconds
    metric_aggregation_type = "Maximum"

    step_adjustment {
      scaling_adjustment          = 0
      metric_interval_lower_bound = 0
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "to_zero" {
  for_each = var.fleets

  alarm_name          = "${var.name}-${each.key}-to-zero"
  alarm_description   = "Workers of ${each.key} had nothing to do for ${var.idle_minutes} minutes: ends them"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = var.idle_minutes
  datapoints_to_alarm = var.idle_minutes
  # No tasks, no metric: an alarm that stays on would undo every start.
  treat_missing_data = "notBreaching"
  alarm_actions      = [aws_appautoscaling_policy.to_zero[each.key].arn]

  dynamic "metric_query" {
    for_each = local.queue_metrics

    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = "AWS/SQS"
        metric_name = metric_query.value
        dimensions  = { QueueName = var.steps_queue_names[each.key] }
        period      = local.period_seconds
        stat        = "Maximum"
      }
    }
  }

  metric_query {
    id          = "running"
    return_data = false

    metric {
      namespace   = "AWS/ECS"
      metric_name = "CPUUtilization"
      dimensions = {
        ClusterName = aws_ecs_cluster.this.name
        ServiceName = aws_ecs_service.worker[each.key].name
      }
      period = local.period_seconds
      stat   = "SampleCount"
    }
  }

  metric_query {
    id          = "idle"
    label       = "Workers without work"
    expression  = "IF(waiting + working == 0, running, 0)"
    return_data = true
  }
}
