output "name" {
  description = "Name of the function."
  value       = local.function
}

output "arn" {
  description = "ARN of the function: the orchestrator's ORCH_LAMBDA_FUNCTION."
  value       = local.arn
}

output "dead_letter_queue_name" {
  description = "Name of its dead-letter queue."
  value       = local.dead_letters
}

output "dead_letter_queue_arn" {
  description = "ARN of its dead-letter queue."
  value       = local.queue_arn
}
