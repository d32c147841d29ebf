# terraform test -var-file=examples/several-fleets/terraform.tfvars -filter=tests/example_several-fleets.tftest.hcl

mock_provider "aws" {
  source = "./tests/mocks"
}

override_data {
  target = module.fleets.data.aws_ec2_instance_type.hosts["m7i.2xlarge"]
  values = {
    default_vcpus           = 8
    memory_size             = 32768
    supported_architectures = ["x86_64"]
  }
}

run "each_kind_of_machine_is_a_fleet_with_a_queue" {
  assert {
    condition = { for name, fleet in output.fleets : name => "${fleet.launch} ${fleet.architecture} ${fleet.vcpus} ${fleet.max} ${fleet.spot}" } == {
      small = "fargate amd64 1 10 false"
      arm   = "fargate arm64 4 4 true"
      c7g   = "ec2 arm64 16 2 true"
      m7i   = "ec2 amd64 8 2 false"
    }
    error_message = "what the fleets are"
  }

  assert {
    condition     = output.dead_letter_queue_names == { small = "compare-small-steps-dead", arm = "compare-arm-steps-dead", c7g = "compare-c7g-steps-dead", m7i = "compare-m7i-steps-dead" }
    error_message = "each has queues of its own"
  }

  assert {
    condition     = strcontains(output.dotenv, "ORCH_STEPS_QUEUE_URL=${output.steps_queue_urls["small"]}\n")
    error_message = "small is the default"
  }
}
