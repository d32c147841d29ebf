mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                   = "bench"
  bucket_arn             = "arn:aws:s3:::payloads"
  image                  = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/stepbench:1.2"
  log_group_name         = "/stepbench/bench"
  steps_queue_arns       = { small = "arn:aws:sqs:eu-west-1:123456789012:bench-small-steps", c7g = "arn:aws:sqs:eu-west-1:123456789012:bench-c7g-steps" }
  dead_letter_queue_arns = { small = "arn:aws:sqs:eu-west-1:123456789012:bench-small-steps-dead", c7g = "arn:aws:sqs:eu-west-1:123456789012:bench-c7g-steps-dead" }
}

# That the documents are those of `orchestrator policy` is tested from Python, which can ask it: tests/infra/test_policies.py.

run "each_fleet_has_a_role_for_its_own_queue" {
  module {
    source = "./modules/iam"
  }

  assert {
    condition     = { for fleet, role in aws_iam_role.worker : fleet => role.name } == { small = "bench-eu-west-1-small-worker", c7g = "bench-eu-west-1-c7g-worker" }
    error_message = "names with the region, which IAM does not know"
  }

  assert {
    condition     = strcontains(aws_iam_role_policy.worker["small"].policy, "bench-small-steps") && !strcontains(aws_iam_role_policy.worker["small"].policy, "bench-c7g-steps")
    error_message = "a worker has nothing to do with the queues of other fleets"
  }

  assert {
    condition     = alltrue([for document in values(output.policies) : !strcontains(document, "kms:")])
    error_message = "without a key, nothing is allowed on one"
  }
}

run "only_tasks_of_this_account_and_region_take_the_roles" {
  module {
    source = "./modules/iam"
  }

  assert {
    condition = alltrue([for role in concat(values(aws_iam_role.worker), [aws_iam_role.orchestrator, aws_iam_role.execution]) : jsondecode(role.assume_role_policy).Statement == [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = "123456789012" }
        ArnLike      = { "aws:SourceArn" = "arn:aws:ecs:eu-west-1:123456789012:*" }
      }
    }]])
    error_message = "trust"
  }
}

run "the_execution_role_pulls_this_image_and_writes_to_this_log_group" {
  module {
    source = "./modules/iam"
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Sid => statement.Resource } == {
      LogIn     = "*"
      Pull      = "arn:aws:ecr:eu-central-1:123456789012:repository/team/stepbench"
      WriteLogs = "arn:aws:logs:eu-west-1:123456789012:log-group:/stepbench/bench:*"
    }
    error_message = "what the execution role is for"
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.execution.policy, "CreateLogGroup")
    error_message = "a log group that was destroyed does not come back"
  }
}

run "an_image_from_elsewhere_needs_no_right_to_pull" {
  module {
    source = "./modules/iam"
  }

  variables {
    image = "docker.io/team/stepbench:1.2"
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Sid] == ["WriteLogs"]
    error_message = "ECR is not asked"
  }
}

run "without_hosts_there_is_no_role_for_them" {
  module {
    source = "./modules/iam"
  }

  assert {
    condition     = length(aws_iam_role.hosts) == 0 && output.host_profile_arn == null
    error_message = "no role, no profile"
  }
}

run "hosts_may_serve_their_cluster_and_nothing_else" {
  module {
    source = "./modules/iam"
  }

  variables {
    with_hosts = true
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.hosts[0].policy).Statement : statement.Sid => statement.Resource } == {
      FindTheService  = "*"
      JoinTheCluster  = "arn:aws:ecs:eu-west-1:123456789012:cluster/bench"
      ServeTheCluster = "arn:aws:ecs:eu-west-1:123456789012:container-instance/bench/*"
    }
    error_message = "the agent's calls, on this cluster"
  }

  assert {
    condition     = aws_iam_instance_profile.hosts[0].role == "bench-eu-west-1-hosts" && jsondecode(aws_iam_role.hosts[0].assume_role_policy).Statement[0].Principal == { Service = "ec2.amazonaws.com" }
    error_message = "instances take the role"
  }
}

run "without_a_function_there_is_no_role_for_it" {
  module {
    source = "./modules/iam"
  }

  assert {
    condition     = length(aws_iam_role.function) == 0 && output.function_role_arn == null && !contains(keys(output.policies), "function")
    error_message = "no role"
  }
}

run "a_function_writes_its_log_and_its_dead_letters_and_does_what_a_worker_does_but_takes_no_steps" {
  module {
    source = "./modules/iam"
  }

  variables {
    function = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:bench-function", dead_letter_queue_arn = "arn:aws:sqs:eu-west-1:123456789012:bench-function-dead" }
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.function_lambda[0].policy).Statement : statement.Sid => statement.Resource } == {
      WriteLogs       = "arn:aws:logs:eu-west-1:123456789012:log-group:/stepbench/bench:*"
      SendDeadLetters = "arn:aws:sqs:eu-west-1:123456789012:bench-function-dead"
    }
    error_message = "what Lambda does in its name"
  }

  assert {
    condition     = aws_iam_role_policy.function[0].policy == output.policies["function"] && [for statement in jsondecode(output.policies["function"]).Statement : statement.Sid] == ["ReadPayloads", "WritePayloads", "TagPayloads", "DeleteOrphans", "SendCompletions"]
    error_message = "what the program in it does"
  }

  assert {
    condition     = jsondecode(aws_iam_role.function[0].assume_role_policy).Statement == [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }] && aws_iam_role.function[0].name == "bench-eu-west-1-function"
    error_message = "Lambda takes the role, and nobody else"
  }

  assert {
    condition     = [for statement in jsondecode(output.policies["orchestrator"]).Statement : statement.Resource if statement.Sid == "FindDeadLetters"] == [["arn:aws:sqs:eu-west-1:123456789012:bench-c7g-steps-dead", "arn:aws:sqs:eu-west-1:123456789012:bench-small-steps-dead", "arn:aws:sqs:eu-west-1:123456789012:bench-function-dead"]]
    error_message = "an orchestrator looks through its dead letters, too"
  }
}

run "a_permissions_boundary_is_on_every_role" {
  module {
    source = "./modules/iam"
  }

  variables {
    with_hosts               = true
    function                 = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:bench-function", dead_letter_queue_arn = "arn:aws:sqs:eu-west-1:123456789012:bench-function-dead" }
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/engineers"
  }

  assert {
    condition     = alltrue([for role in concat(values(aws_iam_role.worker), aws_iam_role.hosts, aws_iam_role.function, [aws_iam_role.orchestrator, aws_iam_role.execution]) : role.permissions_boundary == "arn:aws:iam::123456789012:policy/engineers"])
    error_message = "the boundary"
  }
}

run "wrong_values_are_refused" {
  command = plan

  module {
    source = "./modules/iam"
  }

  variables {
    name                     = "B"
    permissions_boundary_arn = "engineers"
    bucket_arn               = "payloads"
    literal_prefix           = "runs/*"
    kms_key_arn              = "alias/mine"
    steps_queue_arns         = {}
    results_queue_prefix     = "a b"
    results_queue_arn        = "https://sqs"
    image                    = ""
    log_group_name           = ""
    function                 = { arn = "bench-function", dead_letter_queue_arn = "arn:aws:sqs:eu-west-1:123456789012:bench-function-dead" }
  }

  expect_failures = [
    var.name,
    var.permissions_boundary_arn,
    var.bucket_arn,
    var.literal_prefix,
    var.kms_key_arn,
    var.steps_queue_arns,
    var.results_queue_prefix,
    var.results_queue_arn,
    var.image,
    var.log_group_name,
    var.function,
  ]
}

run "a_fleet_without_a_dead_letter_queue_is_refused" {
  command = plan

  module {
    source = "./modules/iam"
  }

  variables {
    dead_letter_queue_arns = {}
  }

  expect_failures = [var.dead_letter_queue_arns]
}
