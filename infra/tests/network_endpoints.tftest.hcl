mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name = "bench"
}

run "a_zone_without_one_of_the_endpoints_is_passed_by" {
  module {
    source = "./modules/network"
  }

  override_data {
    target = data.aws_vpc_endpoint_service.interface["sqs"]
    values = { availability_zones = ["eu-west-1a", "eu-west-1c"] }
  }

  override_data {
    target = data.aws_vpc_endpoint_service.interface["logs"]
    values = { availability_zones = ["eu-west-1b", "eu-west-1c"] }
  }

  assert {
    condition     = aws_subnet.tasks[*].availability_zone == ["eu-west-1c"]
    error_message = "the zone that has all of them"
  }
}
