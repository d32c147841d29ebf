output "steps_queue_urls" {
  description = "URL of each fleet's steps queue, by fleet."
  value       = { for fleet, queue in aws_sqs_queue.steps : fleet => queue.url }
}

output "steps_queue_names" {
  description = "Name of each fleet's steps queue, by fleet."
  value       = local.steps
}

output "steps_queue_arns" {
  description = "ARN of each fleet's steps queue, by fleet."
  value       = { for fleet, name in local.steps : fleet => "${local.arn_prefix}:${name}" }
}

output "dead_letter_queue_names" {
  description = "Name of each fleet's dead-letter queue, by fleet."
  value       = local.dead_letters
}

output "dead_letter_queue_arns" {
  description = "ARN of each fleet's dead-letter queue, by fleet."
  value       = { for fleet, name in local.dead_letters : fleet => "${local.arn_prefix}:${name}" }
}

output "results_queue_url" {
  description = "URL of the fixed results queue; null where each run makes its own."
  value       = one(aws_sqs_queue.results[*].url)
}

output "results_queue_arn" {
  description = "ARN of the fixed results queue; null where each run makes its own."
  value       = var.results_queue ? "${local.arn_prefix}:${local.results}" : null
}
