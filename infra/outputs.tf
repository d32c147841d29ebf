output "dotenv" {
  description = "Lines for a `.env` file: with them `python -m orchestrator start` runs here."
  value = join("\n", concat(
    ["AWS_REGION=${data.aws_region.current.name}"],
    [for variable in sort(keys(local.orchestrator_settings)) : (
      variable == "ORCH_FLEETS" ? "${variable}='${local.orchestrator_settings[variable]}'" : "${variable}=${local.orchestrator_settings[variable]}"
    )],
    [""],
  ))
}

output "region" {
  description = "Region of the stack."
  value       = data.aws_region.current.name
}

output "bucket" {
  description = "Bucket of the payloads, given or created."
  value       = module.storage.bucket
}

output "fleets" {
  description = "What each fleet is, by its name: steps queue, cluster, service, max, vCPUs, memory."
  value       = module.fleets.fleets
}

output "steps_queue_urls" {
  description = "URL of each fleet's steps queue, by fleet."
  value       = module.queues.steps_queue_urls
}

output "dead_letter_queue_names" {
  description = "Name of each fleet's dead-letter queue, by fleet."
  value       = module.queues.dead_letter_queue_names
}

output "cluster_name" {
  description = "Name of the ECS cluster."
  value       = module.fleets.cluster_name
}

output "image" {
  description = "Container image that tasks run."
  value       = local.image
}

output "repository_url" {
  description = "ECR repository to push the image to; null where an image was given."
  value       = one(aws_ecr_repository.this[*].repository_url)
}

output "function_arn" {
  description = "ARN of the Lambda function that does steps; null where there is none."
  value       = one(module.lambda[*].arn)
}

output "function_image" {
  description = "Container image of the function, for one architecture; null where there is none."
  value       = local.function_image
}

output "log_group_name" {
  description = "Log group of all tasks and of the function."
  value       = module.observability.log_group_name
}

output "dashboard_name" {
  description = "Name of the CloudWatch dashboard."
  value       = module.observability.dashboard_name
}

output "task_role_arns" {
  description = "Role of each fleet's workers, by fleet."
  value       = module.iam.task_role_arns
}

output "orchestrator_policy_arn" {
  description = "Policy to attach to whoever starts runs."
  value       = module.iam.orchestrator_policy_arn
}

output "operator_policy_arn" {
  description = "Policy to attach to whoever looks after dead letters and what runs left behind."
  value       = module.iam.operator_policy_arn
}

output "policies" {
  description = "The policy documents as JSON: worker/FLEET, function, orchestrator, operator."
  value       = module.iam.policies
}

output "orchestrator_task" {
  description = "What `aws ecs run-task` needs to run the orchestrator in the region: task definition, container, cluster, subnets, security group."
  value = {
    task_definition   = module.orchestrator.task_definition_arn
    container         = module.orchestrator.container_name
    cluster           = module.fleets.cluster_name
    subnet_ids        = module.network.subnet_ids
    security_group_id = module.network.security_group_id
  }
}
