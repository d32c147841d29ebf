data "aws_region" "current" {}

data "aws_default_tags" "current" {}

data "aws_ec2_instance_type" "hosts" {
  for_each = toset([for fleet in local.on_ec2 : fleet.instance_type])

  instance_type = each.value
}

locals {
  on_ec2     = { for name, fleet in var.fleets : name => fleet if fleet.launch == "ec2" }
  on_fargate = { for name, fleet in var.fleets : name => fleet if fleet.launch == "fargate" }

  # Kernel, agent, container engine and what the firmware keeps: an instance registers 2 to 8 % less than it is sold
  # with, and the host's own programs want some of that.
  host_memory_share = 0.92
  host_memory_mib   = 384

  # What a worker is given, by fleet. cpu in units of 1/1024 vCPU, memory in MiB.
  sizes = merge(
    { for name, fleet in local.on_fargate : name => {
      cpu          = fleet.cpu
      memory       = fleet.memory
      vcpus        = fleet.cpu / 1024
      architecture = coalesce(fleet.architecture, "amd64")
    } },
    { for name, fleet in local.on_ec2 : name => {
      cpu          = data.aws_ec2_instance_type.hosts[fleet.instance_type].default_vcpus * 1024
      memory       = local.host_memory[name]
      vcpus        = data.aws_ec2_instance_type.hosts[fleet.instance_type].default_vcpus
      architecture = contains(data.aws_ec2_instance_type.hosts[fleet.instance_type].supported_architectures, "arm64") ? "arm64" : "amd64"
    } },
  )
  host_memory_limits = { for name, fleet in local.on_ec2 :
    name => floor(data.aws_ec2_instance_type.hosts[fleet.instance_type].memory_size * local.host_memory_share) - local.host_memory_mib
  }
  host_memory = { for name, fleet in local.on_ec2 : name => coalesce(fleet.memory, local.host_memory_limits[name]) }

  # One for each core where nothing else is said. A worker is told: a Fargate task's size limits a group above its
  # container's, which it cannot see.
  executors = { for name, fleet in var.fleets : name => coalesce(fleet.executors, max(1, ceil(local.sizes[name].vcpus))) }
  # A worker runs as many steps at once as it has executors.
  steps_per_task = { for name, fleet in var.fleets : name => coalesce(fleet.steps_per_task, local.executors[name]) }
}

resource "aws_ecs_cluster" "this" {
  #checkov:skip=CKV_AWS_65:Container Insights are paid for by the metric, and the alarms and the dashboard use none of them
  name = var.name

  # What the alarms and the dashboard need is among the metrics that cost nothing.
  setting {
    name  = "containerInsights"
    value = "disabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = concat(["FARGATE", "FARGATE_SPOT"], [for provider in aws_ecs_capacity_provider.hosts : provider.name])
}
