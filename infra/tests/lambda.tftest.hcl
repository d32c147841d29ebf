mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name           = "bench"
  image          = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/stepbench:latest-amd64"
  max            = 20
  environment    = { ORCH_BUCKET = "payloads" }
  role_arn       = "arn:aws:iam::123456789012:role/function"
  log_group_name = "/stepbench/bench"
}

run "the_image_of_the_fleets_with_the_handler_in_place_of_the_worker" {
  module {
    source = "./modules/lambda"
  }

  assert {
    condition     = aws_lambda_function.this.package_type == "Image" && aws_lambda_function.this.image_uri == var.image && aws_lambda_function.this.architectures == tolist(["x86_64"])
    error_message = "the image, for one architecture"
  }

  assert {
    condition     = aws_lambda_function.this.image_config[0].entry_point == tolist(["python", "-m", "awslambdaric"]) && aws_lambda_function.this.image_config[0].command == tolist(["worker.lambda_handler.handle"])
    error_message = "Lambda's runtime client calls the handler"
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables == tomap({ LOG_FORMAT = "json", ORCH_BUCKET = "payloads" })
    error_message = "its settings, and no region: Lambda sets that"
  }

  assert {
    condition     = aws_lambda_function.this.logging_config[0].log_group == "/stepbench/bench" && aws_lambda_function.this.logging_config[0].log_format == "Text"
    error_message = "its lines are where the workers' are, as they are"
  }

  assert {
    condition     = length(aws_lambda_function.this.vpc_config) == 0
    error_message = "it is in no VPC"
  }
}

run "it_is_not_without_a_limit" {
  module {
    source = "./modules/lambda"
  }

  variables {
    architecture    = "arm64"
    memory          = 3008
    timeout_seconds = 300
    storage_mib     = 2048
  }

  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == 20
    error_message = "steps at once, at most"
  }

  assert {
    condition     = aws_lambda_function.this.memory_size == 3008 && aws_lambda_function.this.timeout == 300 && aws_lambda_function.this.ephemeral_storage[0].size == 2048 && aws_lambda_function.this.architectures == tolist(["arm64"])
    error_message = "its size"
  }
}

run "attempts_are_the_orchestrators_and_waiting_for_room_is_none" {
  module {
    source = "./modules/lambda"
  }

  assert {
    condition     = aws_lambda_function_event_invoke_config.this.maximum_retry_attempts == 0 && aws_lambda_function_event_invoke_config.this.maximum_event_age_in_seconds == 21600 && aws_lambda_function_event_invoke_config.this.function_name == "bench-function"
    error_message = "Lambda tries nothing again, and keeps what waits for as long as it can"
  }
}

run "what_is_dropped_goes_to_a_dead_letter_queue_like_those_of_the_fleets" {
  module {
    source = "./modules/lambda"
  }

  assert {
    condition     = aws_lambda_function.this.dead_letter_config[0].target_arn == aws_sqs_queue.dead_letters.arn
    error_message = "the function's dead letters"
  }

  assert {
    condition     = aws_sqs_queue.dead_letters.name == "bench-function-dead" && aws_sqs_queue.dead_letters.sqs_managed_sse_enabled && aws_sqs_queue.dead_letters.message_retention_seconds == 1209600 && aws_sqs_queue.dead_letters.visibility_timeout_seconds == 120
    error_message = "encrypted, and kept for two weeks"
  }

  assert {
    condition = jsondecode(aws_sqs_queue_policy.tls_only.policy).Statement == [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = "arn:aws:sqs:eu-west-1:123456789012:bench-function-dead"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "nothing without TLS"
  }

  assert {
    condition = {
      name                   = output.name
      arn                    = output.arn
      dead_letter_queue_name = output.dead_letter_queue_name
      dead_letter_queue_arn  = output.dead_letter_queue_arn
      } == {
      name                   = "bench-function"
      arn                    = "arn:aws:lambda:eu-west-1:123456789012:function:bench-function"
      dead_letter_queue_name = "bench-function-dead"
      dead_letter_queue_arn  = "arn:aws:sqs:eu-west-1:123456789012:bench-function-dead"
    }
    error_message = "ARNs are built from names"
  }
}

run "wrong_values_are_refused" {
  command = plan

  module {
    source = "./modules/lambda"
  }

  variables {
    name                       = "B"
    image                      = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/stepbench"
    architecture               = "arm"
    max                        = 0
    memory                     = 128
    timeout_seconds            = 901
    storage_mib                = 100
    environment                = { AWS_REGION = "eu-west-1" }
    role_arn                   = "function"
    log_group_name             = ""
    visibility_timeout_seconds = 1
  }

  expect_failures = [
    var.name,
    var.image,
    var.architecture,
    var.max,
    var.memory,
    var.timeout_seconds,
    var.storage_mib,
    var.environment,
    var.role_arn,
    var.log_group_name,
    var.visibility_timeout_seconds,
  ]
}

run "an_image_of_another_region_is_refused" {
  command = plan

  module {
    source = "./modules/lambda"
  }

  variables {
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/stepbench:latest-amd64"
  }

  expect_failures = [var.image]
}
