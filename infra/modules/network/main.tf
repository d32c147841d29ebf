data "aws_region" "current" {}

locals {
  create_vpc = var.vpc_id == null
  vpc_id     = local.create_vpc ? aws_vpc.this[0].id : var.vpc_id
  subnet_ids = local.create_vpc ? aws_subnet.tasks[*].id : var.subnet_ids

  # What tasks call besides S3. ecs is also for an orchestrator that sets a fleet's desired count; the next two are for
  # the agent on EC2 hosts, and the last for an orchestrator that invokes a function.
  services = concat(
    ["sqs", "ecr.api", "ecr.dkr", "logs", "ecs"],
    length(var.instance_types) > 0 ? ["ecs-agent", "ecs-telemetry"] : [],
    var.with_function ? ["lambda"] : [],
  )

  # Zones that have every endpoint and offer every instance type, in the order of their names so that the choice stays.
  offered = concat(
    [for service in data.aws_vpc_endpoint_service.interface : service.availability_zones],
    [for offers in data.aws_ec2_instance_type_offerings.zones : toset(offers.locations)],
  )
  zones = [
    for zone in sort(try(data.aws_availability_zones.available[0].names, [])) : zone
    if alltrue([for locations in local.offered : contains(locations, zone)])
  ]
}

data "aws_availability_zones" "available" {
  #checkov:skip=CKV_AWS_394:zones are taken in the order of their names, and a subnet stays in the zone it was made in
  count = local.create_vpc ? 1 : 0

  state = "available"

  # Local zones are opted in to, and have no endpoints.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

data "aws_ec2_instance_type_offerings" "zones" {
  for_each = local.create_vpc ? var.instance_types : []

  location_type = "availability-zone"

  filter {
    name   = "instance-type"
    values = [each.value]
  }
}

# Not every zone of a region has every endpoint: https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html
data "aws_vpc_endpoint_service" "interface" {
  for_each = toset(local.create_vpc ? local.services : [])

  service      = each.value
  service_type = "Interface"
}

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:it has no way to or from the internet; flow logs would cost more than the rest of a small fleet
  count = local.create_vpc ? 1 : 0

  cidr_block           = var.vpc_cidr
  enable_dns_hostnames = true
  enable_dns_support   = true

  tags = { Name = var.name }

  lifecycle {
    precondition {
      condition     = length(local.zones) >= var.zone_count
      error_message = "This region has fewer than ${var.zone_count} zones that have all endpoints and offer all of: ${join(", ", concat(["Fargate"], sort(var.instance_types)))}. Lower zone_count, or choose other instance types."
    }
  }
}

# A security group that every VPC comes with, made to let nothing through.
resource "aws_default_security_group" "this" {
  count = local.create_vpc ? 1 : 0

  vpc_id = aws_vpc.this[0].id

  tags = { Name = "${var.name}-default" }
}

resource "aws_subnet" "tasks" {
  count = local.create_vpc ? var.zone_count : 0

  vpc_id            = aws_vpc.this[0].id
  cidr_block        = cidrsubnet(var.vpc_cidr, 4, count.index)
  availability_zone = local.zones[count.index]

  tags = { Name = "${var.name}-${count.index}" }

  lifecycle {
    # A zone that begins to offer an instance type is no reason to move.
    ignore_changes = [availability_zone]
  }
}

resource "aws_route_table" "tasks" {
  count = local.create_vpc ? 1 : 0

  vpc_id = aws_vpc.this[0].id

  tags = { Name = var.name }
}

resource "aws_route_table_association" "tasks" {
  count = local.create_vpc ? var.zone_count : 0

  subnet_id      = aws_subnet.tasks[count.index].id
  route_table_id = aws_route_table.tasks[0].id
}

# Payloads go this way, and so do the layers of images: it costs nothing.
resource "aws_vpc_endpoint" "s3" {
  count = local.create_vpc ? 1 : 0

  vpc_id            = aws_vpc.this[0].id
  service_name      = "com.amazonaws.${data.aws_region.current.name}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.tasks[0].id]

  tags = { Name = "${var.name}-s3" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = toset(local.create_vpc ? local.services : [])

  vpc_id              = aws_vpc.this[0].id
  service_name        = "com.amazonaws.${data.aws_region.current.name}.${each.value}"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = aws_subnet.tasks[*].id
  security_group_ids  = [aws_security_group.endpoints[0].id]
  private_dns_enabled = true

  tags = { Name = "${var.name}-${each.value}" }
}

resource "aws_security_group" "endpoints" {
  count = local.create_vpc ? 1 : 0

  name        = "${var.name}-endpoints"
  description = "Interface endpoints of ${var.name}: tasks come in on 443"
  vpc_id      = local.vpc_id

  tags = { Name = "${var.name}-endpoints" }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  count = local.create_vpc ? 1 : 0

  security_group_id            = aws_security_group.endpoints[0].id
  description                  = "HTTPS from the tasks"
  referenced_security_group_id = aws_security_group.tasks.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

# Workers, EC2 hosts and the orchestrator. Nothing listens there: no ingress.
resource "aws_security_group" "tasks" {
  #checkov:skip=CKV2_AWS_5:services and launch templates of the fleets module carry it
  name        = "${var.name}-tasks"
  description = "Tasks of ${var.name}: nothing comes in"
  vpc_id      = local.vpc_id

  tags = { Name = "${var.name}-tasks" }
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  count = local.create_vpc ? 1 : 0

  security_group_id            = aws_security_group.tasks.id
  description                  = "HTTPS to the interface endpoints"
  referenced_security_group_id = aws_security_group.endpoints[0].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  count = local.create_vpc ? 1 : 0

  security_group_id = aws_security_group.tasks.id
  description       = "HTTPS to S3 through the gateway endpoint"
  prefix_list_id    = aws_vpc_endpoint.s3[0].prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# In a VPC of yours nobody here knows whether the way out is an endpoint or a NAT.
resource "aws_vpc_security_group_egress_rule" "https" {
  count = local.create_vpc ? 0 : 1

  security_group_id = aws_security_group.tasks.id
  description       = "HTTPS to AWS"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
