mock_provider "aws" {
  source = "./tests/mocks"
}

run "no_fleet_at_all_is_refused" {
  command = plan

  variables {
    fleets = {}
  }

  expect_failures = [var.fleets]
}

run "a_fleet_whose_name_is_no_name_is_refused" {
  command = plan

  variables {
    fleets = { Small = { launch = "fargate", cpu = 256, memory = 512, max = 1 } }
  }

  expect_failures = [var.fleets]
}

run "an_unknown_launch_is_refused" {
  command = plan

  variables {
    fleets = { small = { launch = "lambda", max = 1 } }
  }

  expect_failures = [var.fleets]
}

run "an_instance_type_on_fargate_is_refused" {
  command = plan

  variables {
    fleets = { small = { launch = "fargate", cpu = 256, memory = 512, instance_type = "c7g.large", max = 1 } }
  }

  expect_failures = [var.fleets]
}

run "a_memory_that_fargate_does_not_offer_with_the_cpu_is_refused" {
  command = plan

  variables {
    fleets = { small = { launch = "fargate", cpu = 256, memory = 4096, max = 1 } }
  }

  expect_failures = [var.fleets]
}

run "fargate_without_cpu_is_refused" {
  command = plan

  variables {
    fleets = { small = { launch = "fargate", memory = 4096, max = 1 } }
  }

  expect_failures = [var.fleets]
}

run "ec2_without_an_instance_type_is_refused" {
  command = plan

  variables {
    fleets = { big = { launch = "ec2", max = 1 } }
  }

  expect_failures = [var.fleets]
}

run "a_cpu_on_ec2_is_refused" {
  command = plan

  variables {
    fleets = { big = { launch = "ec2", instance_type = "c7g.large", cpu = 1024, max = 1 } }
  }

  expect_failures = [var.fleets]
}

run "an_unknown_architecture_is_refused" {
  command = plan

  variables {
    fleets = { small = { launch = "fargate", cpu = 256, memory = 512, architecture = "x86", max = 1 } }
  }

  expect_failures = [var.fleets]
}

run "a_max_of_zero_is_refused" {
  command = plan

  variables {
    fleets = { small = { launch = "fargate", cpu = 256, memory = 512, max = 0 } }
  }

  expect_failures = [var.fleets]
}

run "a_max_without_bounds_is_refused" {
  command = plan

  variables {
    fleets = { small = { launch = "fargate", cpu = 256, memory = 512, max = 100000 } }
  }

  expect_failures = [var.fleets]
}

run "half_an_executor_is_refused" {
  command = plan

  variables {
    fleets = { small = { launch = "fargate", cpu = 256, memory = 512, max = 1, executors = 0.5 } }
  }

  expect_failures = [var.fleets]
}

run "no_step_for_a_task_is_refused" {
  command = plan

  variables {
    fleets = { small = { launch = "fargate", cpu = 256, memory = 512, max = 1, steps_per_task = 0 } }
  }

  expect_failures = [var.fleets]
}

run "more_disk_than_fargate_has_is_refused" {
  command = plan

  variables {
    fleets = { small = { launch = "fargate", cpu = 256, memory = 512, max = 1, storage_gib = 1000 } }
  }

  expect_failures = [var.fleets]
}

run "a_disk_too_small_for_the_hosts_image_is_refused" {
  command = plan

  variables {
    fleets = { big = { launch = "ec2", instance_type = "c7g.large", max = 1, storage_gib = 8 } }
  }

  expect_failures = [var.fleets]
}

run "a_fleet_that_is_called_as_results_queues_are_is_refused" {
  command = plan

  variables {
    fleets = { results-a = { launch = "fargate", cpu = 256, memory = 512, max = 1 } }
  }

  expect_failures = [var.fleets]
}

run "a_fleet_that_is_called_as_the_orchestrator_is_refused" {
  command = plan

  variables {
    fleets = { orchestrator = { launch = "fargate", cpu = 256, memory = 512, max = 1 } }
  }

  expect_failures = [var.fleets]
}

run "more_fleets_than_a_policy_can_name_is_refused" {
  command = plan

  variables {
    fleets = { for number in range(11) : "fleet-${number}" => { launch = "fargate", cpu = 256, memory = 512, max = 1 } }
  }

  expect_failures = [var.fleets]
}

run "more_workers_than_the_network_has_addresses_for_are_refused" {
  command = plan

  variables {
    vpc_cidr = "10.0.0.0/24"
    fleets   = { small = { launch = "fargate", cpu = 256, memory = 512, max = 4 } }
  }

  expect_failures = [var.fleets]
}

run "a_host_and_its_worker_take_an_address_each" {
  command = plan

  variables {
    fleets = { big = { launch = "ec2", instance_type = "c7g.large", max = 122 } }
  }

  expect_failures = [var.fleets]
}

run "as_many_workers_as_there_are_addresses_for_are_taken" {
  command = plan

  variables {
    fleets = { small = { launch = "fargate", cpu = 256, memory = 512, max = 243 } }
  }
}

run "in_a_given_network_nobody_here_knows_the_addresses" {
  command = plan

  variables {
    vpc_id     = "vpc-0aaa"
    subnet_ids = ["subnet-0aaa"]
    fleets     = { small = { launch = "fargate", cpu = 256, memory = 512, max = 1000 } }
  }
}
