output "task_role_arns" {
  description = "Role of each fleet's workers, by fleet."
  value       = { for fleet, role in aws_iam_role.worker : fleet => role.arn }

  # Rights come before whoever needs them, and at `destroy` they go after it. So it is with those below.
  depends_on = [aws_iam_role_policy.worker]
}

output "execution_role_arn" {
  description = "Role that images are pulled and log lines are written as."
  value       = aws_iam_role.execution.arn

  depends_on = [aws_iam_role_policy.execution]
}

output "orchestrator_role_arn" {
  description = "Role of the orchestrator as a task."
  value       = aws_iam_role.orchestrator.arn

  depends_on = [aws_iam_role_policy_attachment.orchestrator]
}

output "orchestrator_policy_arn" {
  description = "Policy to attach to whoever starts runs from outside."
  value       = aws_iam_policy.orchestrator.arn
}

output "operator_policy_arn" {
  description = "Policy to attach to whoever looks after dead letters and what runs left behind."
  value       = aws_iam_policy.operator.arn
}

output "host_profile_arn" {
  description = "Instance profile of EC2 hosts; null where no fleet is on EC2."
  value       = one(aws_iam_instance_profile.hosts[*].arn)

  depends_on = [aws_iam_role_policy.hosts]
}

output "function_role_arn" {
  description = "Role of the Lambda function; null where there is none."
  value       = one(aws_iam_role.function[*].arn)

  depends_on = [aws_iam_role_policy.function, aws_iam_role_policy.function_lambda]
}

output "policies" {
  description = "The policy documents as JSON: worker/FLEET, function, orchestrator, operator."
  value       = local.policies
}
