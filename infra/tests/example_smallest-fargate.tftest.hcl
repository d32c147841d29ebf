# terraform test -var-file=examples/smallest-fargate/terraform.tfvars -filter=tests/example_smallest-fargate.tftest.hcl

mock_provider "aws" {
  source = "./tests/mocks"
}

run "one_small_fleet_at_most_two_workers" {
  assert {
    condition     = { for name, fleet in output.fleets : name => [fleet.service, fleet.max, fleet.vcpus, fleet.memory_mb] } == { small = ["smallest-small", 2, 0.5, 2048] }
    error_message = "the fleet"
  }

  assert {
    condition     = length(output.orchestrator_task.subnet_ids) == 1
    error_message = "in a network of its own"
  }

  assert {
    condition     = alltrue([for document in values(output.policies) : !strcontains(document, "kms:")])
    error_message = "without a key"
  }
}
