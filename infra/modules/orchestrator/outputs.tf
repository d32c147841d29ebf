output "task_definition_arn" {
  description = "ARN of the orchestrator's task definition."
  value       = aws_ecs_task_definition.orchestrator.arn
}

output "container_name" {
  description = "Name of its container: what a command is given to."
  value       = "orchestrator"
}
