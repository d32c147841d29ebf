mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name   = "bench"
  fleets = ["small", "c7g"]
}

run "each_fleet_has_a_steps_queue_and_a_dead_letter_queue_of_its_own" {
  module {
    source = "./modules/queues"
  }

  assert {
    condition     = { for fleet, queue in aws_sqs_queue.steps : fleet => queue.name } == { small = "bench-small-steps", c7g = "bench-c7g-steps" }
    error_message = "names of steps queues"
  }

  assert {
    condition     = { for fleet, queue in aws_sqs_queue.dead_letters : fleet => queue.name } == { small = "bench-small-steps-dead", c7g = "bench-c7g-steps-dead" }
    error_message = "names of dead-letter queues"
  }

  assert {
    condition     = output.steps_queue_arns["small"] == "arn:aws:sqs:eu-west-1:123456789012:bench-small-steps"
    error_message = "ARNs are built from names"
  }

  assert {
    condition     = length(aws_sqs_queue.results) == 0 && output.results_queue_url == null && output.results_queue_arn == null
    error_message = "runs make their own results queues where nothing else is asked for"
  }
}

run "a_message_that_comes_too_often_goes_to_the_dead_letter_queue_of_its_fleet" {
  module {
    source = "./modules/queues"
  }

  variables {
    visibility_timeout_seconds = 300
    max_receive_count          = 7
  }

  assert {
    condition     = alltrue([for queue in aws_sqs_queue.steps : jsondecode(queue.redrive_policy).maxReceiveCount == 7])
    error_message = "redrive after max_receive_count"
  }

  assert {
    condition     = alltrue([for queue in aws_sqs_queue.steps : jsondecode(queue.redrive_policy).deadLetterTargetArn == aws_sqs_queue.dead_letters["small"].arn])
    error_message = "redrive to a dead-letter queue"
  }

  assert {
    condition     = alltrue([for policy in aws_sqs_queue_redrive_allow_policy.dead_letters : jsondecode(policy.redrive_allow_policy).redrivePermission == "byQueue"])
    error_message = "a dead-letter queue takes messages of its own steps queue only"
  }

  assert {
    condition     = alltrue([for queue in aws_sqs_queue.steps : queue.visibility_timeout_seconds == 300 && queue.receive_wait_time_seconds == 20])
    error_message = "visibility timeout and long polling"
  }

  assert {
    condition     = alltrue([for fleet, queue in aws_sqs_queue.dead_letters : queue.message_retention_seconds > aws_sqs_queue.steps[fleet].message_retention_seconds])
    error_message = "a dead letter keeps its age: it must be kept for longer than a step message"
  }
}

run "every_queue_is_encrypted_and_takes_nothing_without_tls" {
  module {
    source = "./modules/queues"
  }

  variables {
    results_queue = true
  }

  assert {
    condition     = alltrue([for queue in concat(values(aws_sqs_queue.steps), values(aws_sqs_queue.dead_letters), aws_sqs_queue.results) : queue.sqs_managed_sse_enabled])
    error_message = "encryption at rest"
  }

  assert {
    condition     = keys(aws_sqs_queue_policy.tls_only) == ["bench-c7g-steps", "bench-c7g-steps-dead", "bench-fixed-results", "bench-small-steps", "bench-small-steps-dead"]
    error_message = "every queue has a policy"
  }

  assert {
    condition = alltrue([for name, policy in aws_sqs_queue_policy.tls_only : jsondecode(policy.policy).Statement == [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = "arn:aws:sqs:eu-west-1:123456789012:${name}"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]])
    error_message = "the policy denies what comes without TLS, and allows nothing"
  }
}

run "a_fixed_results_queue_is_made_where_it_is_asked_for" {
  module {
    source = "./modules/queues"
  }

  variables {
    results_queue = true
  }

  assert {
    condition     = output.results_queue_arn == "arn:aws:sqs:eu-west-1:123456789012:bench-fixed-results" && output.results_queue_url != null
    error_message = "the fixed results queue is told"
  }

  assert {
    condition     = !startswith(aws_sqs_queue.results[0].name, "bench-results-")
    error_message = "clean-up deletes queues below the prefix of the runs' own: the fixed one is not there"
  }
}

run "wrong_values_are_refused" {
  command = plan

  module {
    source = "./modules/queues"
  }

  variables {
    name                       = "Bench"
    fleets                     = []
    visibility_timeout_seconds = 5
    max_receive_count          = 4
  }

  expect_failures = [var.name, var.fleets, var.visibility_timeout_seconds, var.max_receive_count]
}
