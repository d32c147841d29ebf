# Fargate kills two minutes after it asked: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
locals {
  stop_timeout_seconds = min(120, var.drain_timeout_seconds + 20)
  health_file          = "/tmp/stepbench-health"

  environments = { for name, fleet in var.fleets : name => merge(
    var.environment,
    {
      AWS_REGION           = data.aws_region.current.name
      DRAIN_TIMEOUT        = tostring(var.drain_timeout_seconds)
      EXECUTORS            = tostring(local.executors[name])
      HEALTH_FILE          = local.health_file
      LOG_FORMAT           = "json"
      ORCH_STEPS_QUEUE_URL = var.steps_queue_urls[name]
    },
  ) }
}

resource "aws_ecs_task_definition" "worker" {
  for_each = var.fleets

  family                   = "${var.name}-${each.key}"
  requires_compatibilities = [each.value.launch == "ec2" ? "EC2" : "FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = local.sizes[each.key].cpu
  memory                   = local.sizes[each.key].memory
  execution_role_arn       = var.execution_role_arn
  task_role_arn            = var.task_role_arns[each.key]

  runtime_platform {
    cpu_architecture        = local.sizes[each.key].architecture == "arm64" ? "ARM64" : "X86_64"
    operating_system_family = "LINUX"
  }

  # The one place that a worker writes to. Its owner and mode are those that the image declares with VOLUME.
  volume {
    name = "tmp"
  }

  dynamic "ephemeral_storage" {
    for_each = each.value.launch == "fargate" && each.value.storage_gib != null ? [each.value.storage_gib] : []

    content {
      size_in_gib = ephemeral_storage.value
    }
  }

  container_definitions = jsonencode([{
    name                   = "worker"
    image                  = var.image
    essential              = true
    command                = ["worker"]
    stopTimeout            = local.stop_timeout_seconds
    readonlyRootFilesystem = true
    privileged             = false
    environment            = [for variable, value in local.environments[each.key] : { name = variable, value = value }]
    mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
    portMappings           = []
    systemControls         = []
    volumesFrom            = []
    linuxParameters        = { capabilities = { add = [], drop = ["ALL"] } }
    ulimits                = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
    healthCheck = {
      command     = ["CMD", "python", "-m", "worker", "--check-health", local.health_file]
      interval    = 30
      timeout     = 10
      retries     = 3
      startPeriod = 60
    }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        "awslogs-group"         = var.log_group_name
        "awslogs-region"        = data.aws_region.current.name
        "awslogs-stream-prefix" = each.key
        # A log that is slow to take lines must not hold up a step.
        "mode"            = "non-blocking"
        "max-buffer-size" = "4m"
      }
    }
  }])

  lifecycle {
    precondition {
      condition     = each.value.launch == "fargate" || local.sizes[each.key].memory >= 512
      error_message = "Fleet ${each.key}: ${coalesce(each.value.instance_type, "its instance")} leaves a worker less than 512 MiB; choose a larger instance type."
    }

    precondition {
      condition     = each.value.launch == "fargate" || local.sizes[each.key].memory <= try(local.host_memory_limits[each.key], 0)
      error_message = "Fleet ${each.key}: of ${coalesce(each.value.instance_type, "its instance")}'s memory a worker can have ${try(local.host_memory_limits[each.key], 0)} MiB; lower memory, or leave it out."
    }
  }
}

resource "aws_ecs_service" "worker" {
  for_each = var.fleets

  name            = "${var.name}-${each.key}"
  cluster         = aws_ecs_cluster.this.id
  task_definition = aws_ecs_task_definition.worker[each.key].arn
  desired_count   = 0

  # A new version takes the place of the old one only after that has drained: there may be no room for both.
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  availability_zone_rebalancing      = "DISABLED"
  propagate_tags                     = "SERVICE"
  enable_ecs_managed_tags            = true
  force_delete                       = true

  capacity_provider_strategy {
    capacity_provider = (
      each.value.launch == "ec2" ? aws_ecs_capacity_provider.hosts[each.key].name
      : each.value.spot ? "FARGATE_SPOT" : "FARGATE"
    )
    weight = 1
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_id]
    assign_public_ip = false
  }

  # A version that does not come up is given up, in place of being started again for ever.
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  lifecycle {
    # Scaling's, and `start --fleet`'s.
    ignore_changes = [desired_count]
  }

  depends_on = [aws_ecs_cluster_capacity_providers.this]
}
