output "cluster_name" {
  description = "Name of the ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "cluster_arn" {
  description = "ARN of the ECS cluster."
  value       = aws_ecs_cluster.this.arn
}

output "service_names" {
  description = "Name of each fleet's ECS service, by fleet."
  value       = { for fleet, service in aws_ecs_service.worker : fleet => service.name }
}

output "task_definition_arns" {
  description = "ARN of each fleet's task definition, by fleet."
  value       = { for fleet, definition in aws_ecs_task_definition.worker : fleet => definition.arn }
}

output "fleets" {
  description = "What each fleet is, by its name: as `ORCH_FLEETS` tells it to the orchestrator."
  value = { for name, fleet in var.fleets : name => {
    steps_queue_url = var.steps_queue_urls[name]
    cluster         = aws_ecs_cluster.this.name
    service         = aws_ecs_service.worker[name].name
    max             = fleet.max
    vcpus           = local.sizes[name].vcpus
    memory_mb       = local.sizes[name].memory
    launch          = fleet.launch
    architecture    = local.sizes[name].architecture
    instance_type   = fleet.instance_type
    spot            = fleet.spot
  } }
}
