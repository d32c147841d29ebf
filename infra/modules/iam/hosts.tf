# What the agent on an EC2 host calls. Pulling and logging are the tasks' execution role's.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html

locals {
  cluster             = "${local.ecs}:cluster/${var.name}"
  container_instances = "${local.ecs}:container-instance/${var.name}/*"
}

resource "aws_iam_role" "hosts" {
  count = var.with_hosts ? 1 : 0

  name        = "${local.prefix}-hosts"
  description = "EC2 hosts of ${var.name}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "hosts" {
  count = var.with_hosts ? 1 : 0

  name = "agent"
  role = aws_iam_role.hosts[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "FindTheService"
        Effect = "Allow"
        Action = ["ecs:DiscoverPollEndpoint"]
        # It is of no single cluster: no other resource allows it.
        Resource = "*"
      },
      {
        Sid    = "JoinTheCluster"
        Effect = "Allow"
        Action = [
          "ecs:DeregisterContainerInstance",
          "ecs:RegisterContainerInstance",
          "ecs:SubmitAttachmentStateChanges",
          "ecs:SubmitContainerStateChange",
          "ecs:SubmitTaskStateChange",
        ]
        Resource = local.cluster
      },
      {
        Sid      = "ServeTheCluster"
        Effect   = "Allow"
        Action   = ["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"]
        Resource = local.container_instances
      },
    ]
  })
}

resource "aws_iam_instance_profile" "hosts" {
  count = var.with_hosts ? 1 : 0

  name = "${local.prefix}-hosts"
  role = aws_iam_role.hosts[0].name
}
