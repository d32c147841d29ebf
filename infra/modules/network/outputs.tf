output "vpc_id" {
  description = "Id of the VPC, given or created."
  value       = local.vpc_id
}

output "subnet_ids" {
  description = "Ids of the subnets that tasks run in."
  value       = local.subnet_ids
}

output "security_group_id" {
  description = "Id of the security group of tasks and hosts: nothing comes in, HTTPS goes out."
  value       = aws_security_group.tasks.id
}
