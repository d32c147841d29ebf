mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name = "bench"
}

run "what_is_let_in_are_tasks_at_the_endpoints_on_443_and_nothing_else" {
  module {
    source = "./modules/network"
  }

  # By ids of their own, so that one group is not taken for the other. (First in this file: runs share what they made.)
  override_resource {
    target = aws_security_group.tasks
    values = { id = "sg-00000000000000001" }
  }

  override_resource {
    target = aws_security_group.endpoints
    values = { id = "sg-00000000000000002" }
  }

  assert {
    condition = alltrue([
      aws_vpc_security_group_ingress_rule.endpoints[0].security_group_id == "sg-00000000000000002",
      aws_vpc_security_group_ingress_rule.endpoints[0].referenced_security_group_id == "sg-00000000000000001",
      aws_vpc_security_group_ingress_rule.endpoints[0].from_port == 443,
      aws_vpc_security_group_ingress_rule.endpoints[0].to_port == 443,
    ])
    error_message = "tasks come in at the endpoints on 443"
  }

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.security_group_ids == toset(["sg-00000000000000002"])])
    error_message = "endpoints are behind a group of their own"
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.endpoints[0].security_group_id == "sg-00000000000000001" && aws_vpc_security_group_egress_rule.endpoints[0].referenced_security_group_id == "sg-00000000000000002"
    error_message = "tasks reach the endpoints"
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.s3[0].prefix_list_id != null && length(aws_vpc_security_group_egress_rule.https) == 0
    error_message = "and S3, and nothing else"
  }
}

run "a_created_network_has_no_way_to_or_from_the_internet" {
  module {
    source = "./modules/network"
  }

  assert {
    condition     = length(aws_vpc.this) == 1 && length(aws_subnet.tasks) == 1
    error_message = "one VPC with one subnet"
  }

  assert {
    condition     = aws_subnet.tasks[0].map_public_ip_on_launch != true && length(coalesce(aws_route_table.tasks[0].route, [])) == 0
    error_message = "no public addresses, no route out"
  }

  assert {
    condition     = aws_vpc_endpoint.s3[0].vpc_endpoint_type == "Gateway" && aws_vpc_endpoint.s3[0].service_name == "com.amazonaws.eu-west-1.s3"
    error_message = "payloads go through a gateway endpoint"
  }

  assert {
    condition     = keys(aws_vpc_endpoint.interface) == ["ecr.api", "ecr.dkr", "ecs", "logs", "sqs"]
    error_message = "endpoints that tasks on Fargate need"
  }

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled && endpoint.vpc_endpoint_type == "Interface"])
    error_message = "the SDK's own host names lead to the endpoints"
  }
}

run "a_given_network_gets_a_security_group_and_nothing_else" {
  module {
    source = "./modules/network"
  }

  variables {
    vpc_id     = "vpc-0aaa"
    subnet_ids = ["subnet-0aaa", "subnet-0bbb"]
  }

  assert {
    condition = 0 == sum([
      length(aws_vpc.this),
      length(aws_default_security_group.this),
      length(aws_subnet.tasks),
      length(aws_route_table.tasks),
      length(aws_vpc_endpoint.s3),
      length(aws_vpc_endpoint.interface),
      length(aws_security_group.endpoints),
      length(aws_vpc_security_group_ingress_rule.endpoints),
    ])
    error_message = "nothing of the network is made"
  }

  assert {
    condition     = output.vpc_id == "vpc-0aaa" && output.subnet_ids == tolist(["subnet-0aaa", "subnet-0bbb"]) && aws_security_group.tasks.vpc_id == "vpc-0aaa"
    error_message = "what was given is told, and the security group is in it"
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.https[0].from_port == 443 && aws_vpc_security_group_egress_rule.https[0].to_port == 443
    error_message = "HTTPS goes out"
  }
}

run "a_vpc_without_subnets_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    vpc_id = "vpc-0aaa"
  }

  expect_failures = [var.subnet_ids]
}

run "wrong_values_are_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    name           = "B"
    vpc_cidr       = "10.0.0.0/30"
    zone_count     = 4
    instance_types = ["c7g"]
  }

  expect_failures = [var.name, var.vpc_cidr, var.zone_count, var.instance_types]
}

run "wrong_ids_are_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    vpc_id     = "vpc-0aaa"
    subnet_ids = ["mine"]
  }

  expect_failures = [var.subnet_ids]
}

run "a_wrong_vpc_is_refused" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    vpc_id     = "mine"
    subnet_ids = ["subnet-0aaa"]
  }

  expect_failures = [var.vpc_id]
}
