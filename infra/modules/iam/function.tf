# A function is its program, which may do what a worker may but for taking steps, and what Lambda does in its name.

resource "aws_iam_role" "function" {
  count = var.function == null ? 0 : 1

  name        = "${local.prefix}-function"
  description = "The Lambda function of ${var.name}"
  # Whoever makes a function with it needs iam:PassRole for it, in this account: there is no other way to it.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "function" {
  count = var.function == null ? 0 : 1

  name   = "worker"
  role   = aws_iam_role.function[0].id
  policy = local.policies["function"]
}

resource "aws_iam_role_policy" "function_lambda" {
  count = var.function == null ? 0 : 1

  name = "lambda"
  role = aws_iam_role.function[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "WriteLogs"
        Effect = "Allow"
        Action = ["logs:CreateLogStream", "logs:PutLogEvents"]
        # Not the group: one that was destroyed is not to come back by a late line.
        Resource = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${var.log_group_name}:*"
      },
      {
        Sid      = "SendDeadLetters"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = var.function.dead_letter_queue_arn
      },
    ]
  })
}
