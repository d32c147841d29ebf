mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name               = "bench"
  image              = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/stepbench:latest"
  environment        = { ORCH_BUCKET = "payloads", METRICS_SYNC_SECONDS = "30" }
  task_role_arn      = "arn:aws:iam::123456789012:role/orchestrator"
  execution_role_arn = "arn:aws:iam::123456789012:role/execution"
  log_group_name     = "/stepbench/bench"
}

run "the_orchestrator_is_a_task_that_somebody_starts" {
  module {
    source = "./modules/orchestrator"
  }

  assert {
    condition     = aws_ecs_task_definition.orchestrator.family == "bench-orchestrator" && aws_ecs_task_definition.orchestrator.requires_compatibilities == toset(["FARGATE"])
    error_message = "a task definition on Fargate"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.orchestrator.container_definitions)[0].command == ["orchestrator", "start"] && jsondecode(aws_ecs_task_definition.orchestrator.container_definitions)[0].name == output.container_name
    error_message = "it starts a run"
  }

  assert {
    condition = { for variable in jsondecode(aws_ecs_task_definition.orchestrator.container_definitions)[0].environment : variable.name => variable.value } == {
      AWS_REGION           = "eu-west-1"
      LOG_FORMAT           = "json"
      METRICS_DIR          = "/tmp/out"
      METRICS_SYNC_SECONDS = "30"
      ORCH_BUCKET          = "payloads"
    }
    error_message = "its settings; given ones win"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.orchestrator.container_definitions)[0].readonlyRootFilesystem && jsondecode(aws_ecs_task_definition.orchestrator.container_definitions)[0].linuxParameters.capabilities.drop == ["ALL"]
    error_message = "it writes to /tmp alone, and has no capability"
  }
}

run "it_runs_on_what_the_image_is_built_for" {
  module {
    source = "./modules/orchestrator"
  }

  variables {
    architecture = "arm64"
  }

  assert {
    condition     = aws_ecs_task_definition.orchestrator.runtime_platform[0].cpu_architecture == "ARM64"
    error_message = "the architecture"
  }
}

run "wrong_values_are_refused" {
  command = plan

  module {
    source = "./modules/orchestrator"
  }

  variables {
    name               = "B"
    image              = ""
    architecture       = "arm"
    cpu                = 100
    memory             = 100
    environment        = { bucket = "payloads" }
    task_role_arn      = "orchestrator"
    execution_role_arn = "execution"
    log_group_name     = ""
  }

  expect_failures = [var.name, var.image, var.architecture, var.cpu, var.memory, var.environment, var.task_role_arn, var.execution_role_arn, var.log_group_name]
}
