output "vpc_id" {
  description = "Id of the VPC, given or created."
  value       = local.vpc_id
}

output "subnet_ids" {
  description = "Ids of the subnets that tasks run in."
  value       = local.subnet_ids

  # Whoever runs there needs these for as long as it runs: at `destroy` they go after it. An agent that cannot be told
  # to end its tasks keeps them, and the service is never gone.
  depends_on = [
    aws_vpc_endpoint.interface,
    aws_vpc_endpoint.s3,
    aws_route_table_association.tasks,
    aws_vpc_security_group_ingress_rule.endpoints,
    aws_vpc_security_group_egress_rule.endpoints,
    aws_vpc_security_group_egress_rule.s3,
    aws_vpc_security_group_egress_rule.https,
  ]
}

output "security_group_id" {
  description = "Id of the security group of tasks and hosts: nothing comes in, HTTPS goes out."
  value       = aws_security_group.tasks.id
}
