# What ECS itself does for a task: pull its image, write its log lines.

locals {
  ecr = try(regex("^(?P<account>[0-9]{12})\\.dkr\\.ecr\\.(?P<region>[a-z0-9-]+)\\.amazonaws\\.[a-z.]+/(?P<repository>[^:@]+)", var.image), null)

  pull = local.ecr == null ? [] : [
    {
      Sid    = "LogIn"
      Effect = "Allow"
      Action = ["ecr:GetAuthorizationToken"]
      # It is of no single repository: no other resource allows it.
      Resource = "*"
    },
    {
      Sid      = "Pull"
      Effect   = "Allow"
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource = "arn:${local.partition}:ecr:${local.ecr.region}:${local.ecr.account}:repository/${local.ecr.repository}"
    },
  ]
}

resource "aws_iam_role" "execution" {
  name                 = "${local.prefix}-execution"
  description          = "Pulls images and writes log lines for tasks of ${var.name}"
  assume_role_policy   = local.trust_of_tasks
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "execution" {
  name = "execution"
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.pull, [{
      Sid    = "WriteLogs"
      Effect = "Allow"
      Action = ["logs:CreateLogStream", "logs:PutLogEvents"]
      # Not the group: one that was destroyed is not to come back by a late line.
      Resource = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${var.log_group_name}:*"
    }])
  })
}
