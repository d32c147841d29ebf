# EC2 hosts: one group of equal instances for each fleet that wants them, started and ended by its capacity provider.

resource "aws_launch_template" "hosts" {
  for_each = local.on_ec2

  name = "${var.name}-${each.key}"
  # Looked up when an instance starts, so that a newer image is no change of this plan.
  image_id = join("/", compact([
    "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023",
    local.sizes[each.key].architecture == "arm64" ? "arm64" : "",
    "recommended/image_id",
  ]))
  instance_type          = each.value.instance_type
  update_default_version = true
  # Older types, such as t2, are refused with it.
  ebs_optimized = data.aws_ec2_instance_type.hosts[each.value.instance_type].ebs_optimized_support != "unsupported"

  iam_instance_profile {
    arn = var.host_profile_arn
  }

  # A worker is a container with an address and a role of its own: it does not see the host's.
  user_data = base64encode(<<-SCRIPT
    #!/bin/bash
    cat >> /etc/ecs/ecs.config <<'CONFIG'
    ECS_CLUSTER=${aws_ecs_cluster.this.name}
    ECS_AWSVPC_BLOCK_IMDS=true
    ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE=true
    ECS_ENABLE_SPOT_INSTANCE_DRAINING=true
    ECS_CONTAINER_STOP_TIMEOUT=${local.stop_timeout_seconds}s
    CONFIG
  SCRIPT
  )

  network_interfaces {
    associate_public_ip_address = false
    delete_on_termination       = true
    security_groups             = [var.security_group_id]
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = false
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = coalesce(each.value.storage_gib, 30)
      encrypted             = true
      delete_on_termination = true
    }
  }

  dynamic "instance_market_options" {
    for_each = each.value.spot ? [true] : []

    content {
      market_type = "spot"
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume", "network-interface"])

    content {
      resource_type = tag_specifications.value
      tags          = merge(data.aws_default_tags.current.tags, { Name = "${var.name}-${each.key}" })
    }
  }
}

resource "aws_autoscaling_group" "hosts" {
  for_each = local.on_ec2

  name                = "${var.name}-${each.key}"
  min_size            = 0
  max_size            = each.value.max
  vpc_zone_identifier = var.subnet_ids
  # An instance with a worker on it is not ended before the worker has; see the capacity provider.
  protect_from_scale_in = true
  force_delete          = true
  health_check_type     = "EC2"

  launch_template {
    id      = aws_launch_template.hosts[each.key].id
    version = aws_launch_template.hosts[each.key].latest_version
  }

  # ECS puts this tag on by itself; without it here every plan would take it off again.
  tag {
    key                 = "AmazonECSManaged"
    value               = "true"
    propagate_at_launch = true
  }

  # The provider's default tags do not reach a group by themselves. Instances have them from the launch template.
  dynamic "tag" {
    for_each = merge(data.aws_default_tags.current.tags, { Name = "${var.name}-${each.key}" })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = false
    }
  }

  lifecycle {
    ignore_changes = [desired_capacity]
  }
}

resource "aws_ecs_capacity_provider" "hosts" {
  for_each = local.on_ec2

  name = "${var.name}-${each.key}"

  auto_scaling_group_provider {
    auto_scaling_group_arn         = aws_autoscaling_group.hosts[each.key].arn
    managed_termination_protection = "ENABLED"
    managed_draining               = "ENABLED"

    managed_scaling {
      status                    = "ENABLED"
      target_capacity           = 100
      minimum_scaling_step_size = 1
      maximum_scaling_step_size = each.value.max
      instance_warmup_period    = 120
    }
  }

  # A fleet that is left out: the cluster has to let its provider go before that can be deleted.
  lifecycle {
    create_before_destroy = true
  }

  # The first cluster of an account brings the role that ECS acts as; a provider that comes before it is refused.
  depends_on = [aws_ecs_cluster.this]
}
