mock_provider "aws" {
  source = "./tests/mocks"
}

override_data {
  target = data.aws_ec2_instance_type.hosts["c7g.4xlarge"]
  values = {
    default_vcpus           = 16
    memory_size             = 32768
    supported_architectures = ["arm64"]
  }
}

override_data {
  target = data.aws_ec2_instance_type.hosts["m7i.2xlarge"]
  values = {
    default_vcpus           = 8
    memory_size             = 32768
    supported_architectures = ["x86_64"]
  }
}

variables {
  name = "bench"
  fleets = {
    small = { launch = "fargate", cpu = 1024, memory = 4096, max = 10 }
    arm   = { launch = "fargate", cpu = 256, memory = 512, architecture = "arm64", max = 3, spot = true, storage_gib = 50 }
    c7g   = { launch = "ec2", instance_type = "c7g.4xlarge", max = 2, spot = true }
    m7i   = { launch = "ec2", instance_type = "m7i.2xlarge", max = 4, executors = 3, memory = 8192, storage_gib = 100 }
  }
  image              = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/stepbench:latest"
  environment        = { ORCH_BUCKET = "payloads" }
  steps_queue_urls   = { for fleet in ["small", "arm", "c7g", "m7i"] : fleet => "https://sqs.eu-west-1.amazonaws.com/123456789012/bench-${fleet}-steps" }
  steps_queue_names  = { for fleet in ["small", "arm", "c7g", "m7i"] : fleet => "bench-${fleet}-steps" }
  task_role_arns     = { for fleet in ["small", "arm", "c7g", "m7i"] : fleet => "arn:aws:iam::123456789012:role/${fleet}" }
  execution_role_arn = "arn:aws:iam::123456789012:role/execution"
  host_profile_arn   = "arn:aws:iam::123456789012:instance-profile/hosts"
  subnet_ids         = ["subnet-0aaa"]
  security_group_id  = "sg-0aaa"
  log_group_name     = "/stepbench/bench"
}

run "each_fleet_is_a_service_that_begins_with_no_task" {
  module {
    source = "./modules/fleets"
  }

  assert {
    condition     = aws_ecs_cluster.this.name == "bench" && { for fleet, service in aws_ecs_service.worker : fleet => service.name } == { small = "bench-small", arm = "bench-arm", c7g = "bench-c7g", m7i = "bench-m7i" }
    error_message = "names of cluster and services"
  }

  assert {
    condition     = alltrue([for service in aws_ecs_service.worker : service.desired_count == 0])
    error_message = "nothing runs before there is work"
  }

  assert {
    condition     = alltrue([for service in aws_ecs_service.worker : one(service.network_configuration).assign_public_ip == false && one(service.network_configuration).security_groups == toset(["sg-0aaa"])])
    error_message = "no public address"
  }

  assert {
    condition     = { for fleet, service in aws_ecs_service.worker : fleet => one(service.capacity_provider_strategy).capacity_provider } == { small = "FARGATE", arm = "FARGATE_SPOT", c7g = "bench-c7g", m7i = "bench-m7i" }
    error_message = "where tasks run"
  }

  assert {
    condition     = aws_ecs_cluster_capacity_providers.this.capacity_providers == toset(["FARGATE", "FARGATE_SPOT", "bench-c7g", "bench-m7i"])
    error_message = "the cluster knows all of them"
  }
}

run "what_a_worker_is_given_follows_its_fleet" {
  module {
    source = "./modules/fleets"
  }

  assert {
    condition     = { for fleet, definition in aws_ecs_task_definition.worker : fleet => one(definition.runtime_platform).cpu_architecture } == { small = "X86_64", arm = "ARM64", c7g = "ARM64", m7i = "X86_64" }
    error_message = "on EC2 the architecture follows the instance type"
  }

  assert {
    condition     = { for fleet, definition in aws_ecs_task_definition.worker : fleet => one(definition.requires_compatibilities) } == { small = "FARGATE", arm = "FARGATE", c7g = "EC2", m7i = "EC2" }
    error_message = "launch type"
  }

  # 32768 * 0.92 - 384
  assert {
    condition     = { for fleet, definition in aws_ecs_task_definition.worker : fleet => [tonumber(definition.cpu), tonumber(definition.memory)] } == { small = [1024, 4096], arm = [256, 512], c7g = [16384, 29762], m7i = [8192, 8192] }
    error_message = "cpu and memory; of an instance's memory some is left for its agent"
  }

  assert {
    condition     = { for fleet, definition in aws_ecs_task_definition.worker : fleet => sum(concat([0], definition.ephemeral_storage[*].size_in_gib)) } == { small = 0, arm = 50, c7g = 0, m7i = 0 }
    error_message = "disk of a Fargate task"
  }

  assert {
    condition     = { for fleet, definition in aws_ecs_task_definition.worker : fleet => definition.task_role_arn } == { for fleet in ["small", "arm", "c7g", "m7i"] : fleet => "arn:aws:iam::123456789012:role/${fleet}" }
    error_message = "each fleet has its own role"
  }
}

run "a_worker_is_told_its_queue_and_how_to_end" {
  module {
    source = "./modules/fleets"
  }

  variables {
    drain_timeout_seconds = 60
  }

  assert {
    condition = { for variable in jsondecode(aws_ecs_task_definition.worker["m7i"].container_definitions)[0].environment : variable.name => variable.value } == {
      AWS_REGION           = "eu-west-1"
      DRAIN_TIMEOUT        = "60"
      EXECUTORS            = "3"
      HEALTH_FILE          = "/tmp/stepbench-health"
      LOG_FORMAT           = "json"
      ORCH_BUCKET          = "payloads"
      ORCH_STEPS_QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/bench-m7i-steps"
    }
    error_message = "settings"
  }

  assert {
    condition = { for fleet, definition in aws_ecs_task_definition.worker : fleet =>
      one([for variable in jsondecode(definition.container_definitions)[0].environment : variable.value if variable.name == "EXECUTORS"])
    } == { small = "1", arm = "1", c7g = "16", m7i = "3" }
    error_message = "without executors given, the cores decide"
  }

  assert {
    condition     = alltrue([for definition in aws_ecs_task_definition.worker : jsondecode(definition.container_definitions)[0].stopTimeout == 80])
    error_message = "killed later than the drain lasts"
  }

  assert {
    condition     = alltrue([for definition in aws_ecs_task_definition.worker : jsondecode(definition.container_definitions)[0].healthCheck.command == ["CMD", "python", "-m", "worker", "--check-health", "/tmp/stepbench-health"]])
    error_message = "health is read from the file that the worker writes"
  }

  assert {
    condition     = alltrue([for fleet, definition in aws_ecs_task_definition.worker : jsondecode(definition.container_definitions)[0].logConfiguration.options["awslogs-group"] == "/stepbench/bench" && jsondecode(definition.container_definitions)[0].logConfiguration.options["awslogs-stream-prefix"] == fleet])
    error_message = "logs"
  }
}

run "a_worker_writes_to_tmp_alone_and_has_no_capability" {
  module {
    source = "./modules/fleets"
  }

  assert {
    condition = alltrue([for definition in aws_ecs_task_definition.worker : alltrue([
      jsondecode(definition.container_definitions)[0].readonlyRootFilesystem,
      !jsondecode(definition.container_definitions)[0].privileged,
      jsondecode(definition.container_definitions)[0].linuxParameters.capabilities.drop == ["ALL"],
      jsondecode(definition.container_definitions)[0].portMappings == [],
      jsondecode(definition.container_definitions)[0].mountPoints == [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }],
    ])])
    error_message = "what a container may do"
  }
}

run "the_longest_drain_fits_what_fargate_allows" {
  module {
    source = "./modules/fleets"
  }

  variables {
    drain_timeout_seconds = 100
  }

  assert {
    condition     = alltrue([for definition in aws_ecs_task_definition.worker : jsondecode(definition.container_definitions)[0].stopTimeout == 120])
    error_message = "120 s is the most"
  }
}

run "hosts_come_and_go_with_their_tasks" {
  module {
    source = "./modules/fleets"
  }

  assert {
    condition     = { for fleet, group in aws_autoscaling_group.hosts : fleet => [group.min_size, group.max_size] } == { c7g = [0, 2], m7i = [0, 4] }
    error_message = "from none to max"
  }

  assert {
    condition     = alltrue([for group in aws_autoscaling_group.hosts : group.protect_from_scale_in && group.force_delete])
    error_message = "not ended under a worker, and gone with destroy"
  }

  assert {
    condition = alltrue([for provider in aws_ecs_capacity_provider.hosts : alltrue([
      provider.auto_scaling_group_provider[0].managed_scaling[0].status == "ENABLED",
      provider.auto_scaling_group_provider[0].managed_scaling[0].target_capacity == 100,
      provider.auto_scaling_group_provider[0].managed_termination_protection == "ENABLED",
      provider.auto_scaling_group_provider[0].managed_draining == "ENABLED",
    ])])
    error_message = "ECS starts and ends instances"
  }

  assert {
    condition     = { for fleet, template in aws_launch_template.hosts : fleet => [template.instance_type, length(template.instance_market_options), template.image_id] } == { c7g = ["c7g.4xlarge", 1, "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id"], m7i = ["m7i.2xlarge", 0, "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"] }
    error_message = "instance type, spot, and the image of its architecture"
  }
}

run "hosts_that_cannot_be_optimized_for_their_disk_are_not_asked_to_be" {
  module {
    source = "./modules/fleets"
  }

  override_data {
    target = data.aws_ec2_instance_type.hosts["m7i.2xlarge"]
    values = {
      default_vcpus           = 8
      memory_size             = 32768
      supported_architectures = ["x86_64"]
      ebs_optimized_support   = "unsupported"
    }
  }

  assert {
    condition     = { for fleet, template in aws_launch_template.hosts : fleet => template.ebs_optimized } == { c7g = "true", m7i = "false" }
    error_message = "AWS refuses an instance of an older type that is to be"
  }
}

run "hosts_are_encrypted_closed_and_tagged" {
  module {
    source = "./modules/fleets"
  }

  assert {
    condition = alltrue([for template in aws_launch_template.hosts : alltrue([
      template.block_device_mappings[0].ebs[0].encrypted == "true",
      template.metadata_options[0].http_tokens == "required",
      template.metadata_options[0].http_put_response_hop_limit == 1,
      template.network_interfaces[0].associate_public_ip_address == "false",
      toset(template.tag_specifications[*].resource_type) == toset(["instance", "network-interface", "volume"]),
      alltrue([for tagged in template.tag_specifications : tagged.tags["stepbench"] == "stepbench"]),
    ])])
    error_message = "encrypted disk, IMDSv2 out of a container's reach, no public address, tags"
  }

  assert {
    condition     = { for fleet, template in aws_launch_template.hosts : fleet => template.block_device_mappings[0].ebs[0].volume_size } == { c7g = 30, m7i = 100 }
    error_message = "disk"
  }

  assert {
    condition     = alltrue([for words in ["ECS_CLUSTER=bench\n", "ECS_AWSVPC_BLOCK_IMDS=true", "ECS_CONTAINER_STOP_TIMEOUT=120s", "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true"] : strcontains(base64decode(aws_launch_template.hosts["c7g"].user_data), words)]) && startswith(base64decode(aws_launch_template.hosts["c7g"].user_data), "#!/bin/bash\ncat >> /etc/ecs/ecs.config")
    error_message = "what the agent is told"
  }

  assert {
    condition     = { for tag in aws_autoscaling_group.hosts["c7g"].tag : tag.key => tag.value } == { AmazonECSManaged = "true", Name = "bench-c7g", stepbench = "stepbench" }
    error_message = "groups carry the default tags too"
  }
}

run "every_fleet_scales_between_zero_and_its_max" {
  module {
    source = "./modules/fleets"
  }

  assert {
    condition     = { for fleet, target in aws_appautoscaling_target.worker : fleet => [target.resource_id, target.min_capacity, target.max_capacity] } == { small = ["service/bench/bench-small", 0, 10], arm = ["service/bench/bench-arm", 0, 3], c7g = ["service/bench/bench-c7g", 0, 2], m7i = ["service/bench/bench-m7i", 0, 4] }
    error_message = "bounds"
  }

  # As many as it runs at once: its executors, which are its cores where not given.
  assert {
    condition     = { for fleet, policy in aws_appautoscaling_policy.backlog : fleet => one(policy.target_tracking_scaling_policy_configuration).target_value } == { small = 1, arm = 1, c7g = 16, m7i = 3 }
    error_message = "backlog for each task"
  }
}

run "alarms_watch_the_queue_of_their_fleet" {
  module {
    source = "./modules/fleets"
  }

  assert {
    condition = alltrue(flatten([for alarms in [aws_cloudwatch_metric_alarm.from_zero, aws_cloudwatch_metric_alarm.to_zero] : [for fleet, alarm in alarms : [for query in alarm.metric_query : (
      length(query.metric) == 0 ? true
      : one(query.metric).namespace == "AWS/SQS" ? one(query.metric).dimensions["QueueName"] == "bench-${fleet}-steps"
      : one(query.metric).dimensions["ServiceName"] == "bench-${fleet}"
    )]]]))
    error_message = "queues and services"
  }

  assert {
    condition     = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.from_zero), values(aws_cloudwatch_metric_alarm.to_zero)) : alarm.treat_missing_data == "notBreaching" && length(alarm.alarm_actions) == 1])
    error_message = "what is not known is no reason to act"
  }
}

run "more_memory_than_an_instance_can_give_is_told" {
  command = plan

  module {
    source = "./modules/fleets"
  }

  variables {
    fleets = {
      small = { launch = "fargate", cpu = 1024, memory = 4096, max = 10 }
      c7g   = { launch = "ec2", instance_type = "c7g.4xlarge", max = 2, memory = 32768 }
    }
  }

  expect_failures = [aws_ecs_task_definition.worker["c7g"]]
}

run "wrong_values_are_refused" {
  command = plan

  module {
    source = "./modules/fleets"
  }

  variables {
    name                  = "B"
    image                 = "a b"
    environment           = { bucket = "x" }
    execution_role_arn    = "execution"
    host_profile_arn      = "hosts"
    subnet_ids            = []
    security_group_id     = "mine"
    log_group_name        = ""
    drain_timeout_seconds = 110
    idle_minutes          = 2
  }

  expect_failures = [var.name, var.image, var.environment, var.execution_role_arn, var.host_profile_arn, var.subnet_ids, var.security_group_id, var.log_group_name, var.drain_timeout_seconds, var.idle_minutes]
}

run "a_fleet_without_its_queue_or_role_is_refused" {
  command = plan

  module {
    source = "./modules/fleets"
  }

  variables {
    steps_queue_urls  = {}
    steps_queue_names = {}
    task_role_arns    = {}
  }

  expect_failures = [var.steps_queue_urls, var.steps_queue_names, var.task_role_arns]
}

run "a_fleet_of_no_kind_is_refused" {
  command = plan

  module {
    source = "./modules/fleets"
  }

  variables {
    fleets = { small = { launch = "lambda", max = 0 } }
  }

  expect_failures = [var.fleets]
}
