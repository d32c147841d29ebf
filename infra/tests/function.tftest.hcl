# The root's variable `function`: what it makes beside the module lambda, and what it refuses.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "without_one_there_is_nothing_of_it" {
  assert {
    condition     = length(module.lambda) == 0 && length(aws_ecr_repository_policy.function) == 0 && output.function_arn == null && output.function_image == null
    error_message = "no function, and nobody may pull"
  }

  assert {
    condition     = !strcontains(output.dotenv, "LAMBDA") && alltrue([for document in values(output.policies) : !strcontains(document, "lambda:")]) && !contains(keys(output.policies), "function")
    error_message = "nobody is told of it, or allowed to invoke it"
  }
}

run "the_orchestrator_is_told_of_it_and_it_has_a_role_of_its_own" {
  variables {
    function = { max = 5 }
  }

  assert {
    condition     = output.function_arn == "arn:aws:lambda:eu-west-1:123456789012:function:stepbench-function" && strcontains(output.dotenv, "ORCH_LAMBDA_FUNCTION=${output.function_arn}\n")
    error_message = "the function's ARN"
  }

  assert {
    condition     = strcontains(output.policies["orchestrator"], output.function_arn) && strcontains(output.policies["orchestrator"], "stepbench-function-dead") && strcontains(output.policies["operator"], output.function_arn)
    error_message = "who starts runs may invoke it, and find its dead letters"
  }

  assert {
    condition     = !strcontains(output.policies["function"], "-steps") && !strcontains(output.policies["worker/small"], "lambda")
    error_message = "it takes no steps from queues, and workers have nothing to do with it"
  }
}

run "lambda_may_pull_from_the_repository_for_this_function_alone" {
  variables {
    function = { max = 5, architecture = "arm64" }
  }

  assert {
    condition = jsondecode(aws_ecr_repository_policy.function[0].policy).Statement == [{
      Sid       = "FunctionPulls"
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Condition = { ArnLike = { "aws:SourceArn" = [output.function_arn, "${output.function_arn}:*"] } }
    }]
    error_message = "its policy"
  }

  assert {
    condition     = output.function_image == "123456789012.dkr.ecr.eu-west-1.amazonaws.com/stepbench:latest-arm64" && endswith(output.image, ":latest")
    error_message = "Lambda takes no image for several architectures: what push-image pushed for one"
  }
}

run "of_a_given_image_it_has_the_one_beside_it_for_its_architecture" {
  variables {
    image    = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/stepbench:1.0"
    function = { max = 5 }
  }

  assert {
    condition     = output.function_image == "123456789012.dkr.ecr.eu-west-1.amazonaws.com/stepbench:1.0-amd64" && length(aws_ecr_repository_policy.function) == 0
    error_message = "a repository that was given is not changed"
  }
}

run "its_own_image_is_taken_as_it_is" {
  variables {
    image    = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/stepbench@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    function = { max = 5, image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/stepbench@sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210" }
  }

  assert {
    condition     = endswith(output.function_image, "3210")
    error_message = "as it was given"
  }
}

run "an_image_by_its_digest_has_none_beside_it" {
  command = plan

  variables {
    image    = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/stepbench@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    function = { max = 5 }
  }

  expect_failures = [var.function]
}

run "an_image_from_elsewhere_is_refused" {
  command = plan

  variables {
    function = { max = 5, image = "docker.io/team/stepbench:1.0" }
  }

  expect_failures = [var.function]
}

run "a_function_without_a_limit_is_refused" {
  command = plan

  variables {
    function = { max = 0 }
  }

  expect_failures = [var.function]
}

run "too_little_memory_is_refused" {
  command = plan

  variables {
    function = { max = 1, memory = 128 }
  }

  expect_failures = [var.function]
}

run "a_longer_timeout_than_lambdas_is_refused" {
  command = plan

  variables {
    function = { max = 1, timeout_seconds = 3600 }
  }

  expect_failures = [var.function]
}

run "too_much_storage_is_refused" {
  command = plan

  variables {
    function = { max = 1, storage_mib = 20480 }
  }

  expect_failures = [var.function]
}

run "an_unknown_architecture_is_refused" {
  command = plan

  variables {
    function = { max = 1, architecture = "x86_64" }
  }

  expect_failures = [var.function]
}

run "a_fleet_of_that_name_is_refused" {
  command = plan

  variables {
    fleets = { function = { launch = "fargate", cpu = 256, memory = 512, max = 1 } }
  }

  expect_failures = [var.fleets]
}

run "the_endpoint_that_it_is_invoked_through_wants_an_address" {
  command = plan

  # Of the 16 addresses of a subnet AWS keeps 5, 7 are left for endpoints, one is the orchestrator's, and 3 are for tasks.
  variables {
    vpc_cidr = "10.0.0.0/24"
    fleets   = { small = { launch = "fargate", cpu = 256, memory = 512, max = 3 } }
    function = { max = 1 }
  }

  expect_failures = [var.fleets]
}

run "without_it_there_is_one_more" {
  command = plan

  variables {
    vpc_cidr = "10.0.0.0/24"
    fleets   = { small = { launch = "fargate", cpu = 256, memory = 512, max = 3 } }
  }

  assert {
    condition     = output.fleets["small"].max == 3
    error_message = "all fit"
  }
}
