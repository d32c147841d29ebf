output "log_group_name" {
  description = "Log group of all tasks. Each fleet's streams begin with its name."
  value       = aws_cloudwatch_log_group.this.name
}

output "dashboard_name" {
  description = "Name of the CloudWatch dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "metric_namespace" {
  description = "Namespace of the metrics that are made from log lines."
  value       = local.namespace
}
