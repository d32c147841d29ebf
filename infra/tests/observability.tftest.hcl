mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                    = "bench"
  steps_queue_names       = { small = "bench-small-steps", c7g = "bench-c7g-steps" }
  dead_letter_queue_names = { small = "bench-small-steps-dead", c7g = "bench-c7g-steps-dead" }
}

run "logs_are_kept_for_a_while" {
  module {
    source = "./modules/observability"
  }

  variables {
    log_retention_days = 30
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/stepbench/bench" && aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "name and retention"
  }
}

run "what_workers_log_becomes_metrics" {
  module {
    source = "./modules/observability"
  }

  assert {
    condition = { for name, filter in aws_cloudwatch_log_metric_filter.workers : name => [filter.pattern, filter.metric_transformation[0].value, filter.metric_transformation[0].namespace] } == {
      StepsDone     = ["{ $.event = \"steps done\" }", "$.count", "Stepbench/bench"]
      ExecutorsLost = ["{ $.event = \"executor lost\" }", "1", "Stepbench/bench"]
      Errors        = ["{ $.level = \"error\" }", "1", "Stepbench/bench"]
    }
    error_message = "metric filters"
  }
}

run "the_dashboard_shows_every_fleet" {
  module {
    source = "./modules/observability"
  }

  assert {
    condition = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.title] == [
      "c7g: backlog", "c7g: age of the oldest message, s", "c7g: running tasks", "c7g: dead letters",
      "small: backlog", "small: age of the oldest message, s", "small: running tasks", "small: dead letters",
      "errors logged", "executors lost", "steps done a minute",
    ]
    error_message = "a row for each fleet and one for the logs"
  }

  assert {
    condition     = length(distinct([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [widget.x, widget.y]])) == 11
    error_message = "no widget hides another"
  }
}

run "dead_letters_and_waiting_steps_raise_alarms_that_are_only_shown" {
  module {
    source = "./modules/observability"
  }

  assert {
    condition     = { for fleet, alarm in aws_cloudwatch_metric_alarm.dead_letters : fleet => [alarm.dimensions["QueueName"], alarm.threshold, alarm.comparison_operator] } == { small = ["bench-small-steps-dead", 0, "GreaterThanThreshold"], c7g = ["bench-c7g-steps-dead", 0, "GreaterThanThreshold"] }
    error_message = "a single dead letter is an alarm"
  }

  assert {
    condition     = { for fleet, alarm in aws_cloudwatch_metric_alarm.oldest_message : fleet => [alarm.dimensions["QueueName"], alarm.metric_name, alarm.threshold] } == { small = ["bench-small-steps", "ApproximateAgeOfOldestMessage", 1800], c7g = ["bench-c7g-steps", "ApproximateAgeOfOldestMessage", 1800] }
    error_message = "a step that waits for long is an alarm"
  }

  assert {
    condition     = length(aws_sns_topic.alarms) == 0 && length(aws_budgets_budget.month) == 0 && alltrue([for alarm in aws_cloudwatch_metric_alarm.dead_letters : length(alarm.alarm_actions) == 0])
    error_message = "without an address nobody is written to"
  }
}

run "a_function_has_a_row_and_an_alarm_too" {
  module {
    source = "./modules/observability"
  }

  variables {
    function = { name = "bench-function", dead_letter_queue_name = "bench-function-dead" }
  }

  assert {
    condition = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.title if widget.y == 12] == [
      "function: steps at once", "function: invocations a minute", "function: age of the oldest message, ms", "function: dead letters",
    ]
    error_message = "a row after those of the fleets"
  }

  assert {
    condition     = length(distinct([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [widget.x, widget.y]])) == 15
    error_message = "no widget hides another"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.dead_letters["function"].dimensions["QueueName"] == "bench-function-dead" && aws_cloudwatch_metric_alarm.dead_letters["function"].alarm_name == "bench-function-dead-letters" && keys(aws_cloudwatch_metric_alarm.oldest_message) == ["c7g", "small"]
    error_message = "a single dead letter of its is an alarm"
  }
}

run "an_address_gets_the_alarms_and_a_budget" {
  module {
    source = "./modules/observability"
  }

  variables {
    alarm_email  = "team@example.com"
    budget_email = "money@example.com"
    budget_usd   = 100
  }

  assert {
    condition     = aws_sns_topic_subscription.alarms[0].endpoint == "team@example.com" && aws_sns_topic_subscription.alarms[0].protocol == "email"
    error_message = "the address is subscribed"
  }

  assert {
    condition     = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.dead_letters), values(aws_cloudwatch_metric_alarm.oldest_message)) : alarm.alarm_actions == toset([aws_sns_topic.alarms[0].arn])])
    error_message = "alarms go there"
  }

  assert {
    condition     = aws_budgets_budget.month[0].limit_amount == "100" && aws_budgets_budget.month[0].limit_unit == "USD" && aws_budgets_budget.month[0].time_unit == "MONTHLY" && length(aws_budgets_budget.month[0].cost_filter) == 0
    error_message = "a budget of the whole account"
  }

  assert {
    condition     = { for warning in aws_budgets_budget.month[0].notification : warning.notification_type => [warning.threshold, one(warning.subscriber_email_addresses)] } == { ACTUAL = [80, "money@example.com"], FORECASTED = [100, "money@example.com"] }
    error_message = "warned at 80 % and by the forecast"
  }
}

run "a_budget_may_count_a_tag_alone" {
  module {
    source = "./modules/observability"
  }

  variables {
    budget_email = "money@example.com"
    budget_tag   = "stepbench$bench"
  }

  assert {
    condition     = one(aws_budgets_budget.month[0].cost_filter).name == "TagKeyValue" && one(aws_budgets_budget.month[0].cost_filter).values == tolist(["user:stepbench$bench"])
    error_message = "the tag is the filter"
  }
}

run "wrong_values_are_refused" {
  command = plan

  module {
    source = "./modules/observability"
  }

  variables {
    name                   = "B"
    steps_queue_names      = {}
    log_retention_days     = 2
    alarm_email            = "team"
    oldest_message_seconds = 1
    budget_email           = "money"
    budget_usd             = 0
    budget_tag             = "bench"
    function               = { name = "", dead_letter_queue_name = "bench-function-dead" }
  }

  expect_failures = [var.name, var.steps_queue_names, var.log_retention_days, var.alarm_email, var.oldest_message_seconds, var.budget_email, var.budget_usd, var.budget_tag, var.function]
}

run "a_fleet_without_a_dead_letter_queue_is_refused" {
  command = plan

  module {
    source = "./modules/observability"
  }

  variables {
    dead_letter_queue_names = {}
  }

  expect_failures = [var.dead_letter_queue_names]
}
