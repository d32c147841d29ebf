mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name = "bench"
}

run "hosts_on_ec2_have_the_agents_endpoints_and_zones_that_offer_their_types" {
  module {
    source = "./modules/network"
  }

  variables {
    instance_types = ["c7g.4xlarge"]
    zone_count     = 2
  }

  assert {
    condition     = keys(aws_vpc_endpoint.interface) == ["ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "logs", "sqs"]
    error_message = "the agent's endpoints too"
  }

  # The stand-in for AWS offers instance types in 1b and 1c only.
  assert {
    condition     = aws_subnet.tasks[*].availability_zone == ["eu-west-1b", "eu-west-1c"]
    error_message = "zones that offer the instance type"
  }

  assert {
    condition     = aws_subnet.tasks[*].cidr_block == ["10.73.0.0/24", "10.73.1.0/24"]
    error_message = "a part of the range for each zone"
  }
}

run "an_orchestrator_reaches_the_function_that_it_invokes" {
  module {
    source = "./modules/network"
  }

  variables {
    with_function = true
  }

  assert {
    condition     = keys(aws_vpc_endpoint.interface) == ["ecr.api", "ecr.dkr", "ecs", "lambda", "logs", "sqs"]
    error_message = "Lambda's endpoint too"
  }
}

run "too_few_zones_that_offer_an_instance_type_are_told" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    instance_types = ["c7g.4xlarge"]
    zone_count     = 3
  }

  expect_failures = [aws_vpc.this]
}
