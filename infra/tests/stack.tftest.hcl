mock_provider "aws" {
  source = "./tests/mocks"
}

run "with_nothing_given_one_small_fargate_fleet_is_made" {
  assert {
    condition     = keys(output.fleets) == ["small"] && output.fleets["small"].launch == "fargate" && output.fleets["small"].max == 10
    error_message = "the default is one fleet called small on Fargate"
  }

  assert {
    condition     = output.image == "123456789012.dkr.ecr.eu-west-1.amazonaws.com/stepbench:latest" && aws_ecr_repository.this[0].force_delete
    error_message = "with a repository for its image, that destroy removes"
  }

  assert {
    condition     = output.log_group_name == "/stepbench/stepbench" && output.cluster_name == "stepbench"
    error_message = "names"
  }
}

run "the_dotenv_output_is_all_that_start_needs" {
  assert {
    condition = [for line in split("\n", output.dotenv) : line if !startswith(line, "ORCH_FLEETS=")] == [
      "AWS_REGION=eu-west-1",
      "ORCH_BUCKET=${output.bucket}",
      "ORCH_PREFIX=orchestration-bench/runs/{date}/{run_id}/",
      "ORCH_RESULTS_QUEUE_PREFIX=stepbench-results-",
      "ORCH_STEPS_QUEUE_URL=${output.steps_queue_urls["small"]}",
      "SSE=s3",
      "",
    ]
    error_message = "one line for each setting"
  }

  assert {
    condition = jsondecode(regex("ORCH_FLEETS='(.*)'", output.dotenv)[0]) == {
      small = {
        steps_queue_url = output.steps_queue_urls["small"]
        cluster         = "stepbench"
        service         = "stepbench-small"
        max             = 10
        vcpus           = 1
        memory_mb       = 4096
        launch          = "fargate"
        architecture    = "amd64"
        instance_type   = null
        spot            = false
      }
    }
    error_message = "the map of fleets, in one line"
  }
}

run "a_given_image_needs_no_repository" {
  variables {
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/stepbench@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }

  assert {
    condition     = length(aws_ecr_repository.this) == 0 && output.repository_url == null && endswith(output.image, "cdef")
    error_message = "the image is taken as it was given"
  }
}

run "a_key_is_told_to_the_orchestrator" {
  variables {
    create_kms_key = true
  }

  assert {
    condition     = strcontains(output.dotenv, "SSE=kms\n") && strcontains(output.dotenv, "KMS_KEY_ID=arn:aws:kms:")
    error_message = "SSE and KMS_KEY_ID"
  }
}

run "a_fixed_results_queue_is_told_to_both" {
  variables {
    results_queue = true
  }

  assert {
    condition     = strcontains(output.dotenv, "ORCH_RESULTS_QUEUE_URL=https://")
    error_message = "the orchestrator's setting"
  }
}

run "the_default_fleet_is_the_one_that_is_named" {
  variables {
    default_fleet = "large"
    fleets = {
      large = { launch = "fargate", cpu = 4096, memory = 8192, architecture = "arm64", max = 2 }
      small = { launch = "fargate", cpu = 256, memory = 512, max = 2 }
    }
  }

  assert {
    condition     = strcontains(output.dotenv, "ORCH_STEPS_QUEUE_URL=${output.steps_queue_urls["large"]}\n")
    error_message = "its queue is the default"
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    name                       = "Bench!"
    region                     = "Frankfurt"
    allowed_account_ids        = ["1234"]
    tags                       = { "aws:mine" = "x" }
    image                      = "Upper Case"
    bucket_name                = "Upper"
    prefix                     = "/runs"
    kms_key_arn                = "alias/mine"
    payload_expiry_days        = 0
    vpc_cidr                   = "10.0.0.0/30"
    zone_count                 = 4
    visibility_timeout_seconds = 1
    drain_timeout_seconds      = 110
    idle_minutes               = 1
    permissions_boundary_arn   = "engineers"
    log_retention_days         = 2
    alarm_email                = "team"
    budget_email               = "money"
    budget_usd                 = 0
    budget_tag                 = "bench"
  }

  expect_failures = [
    var.name,
    var.region,
    var.allowed_account_ids,
    var.tags,
    var.image,
    var.bucket_name,
    var.prefix,
    var.kms_key_arn,
    var.payload_expiry_days,
    var.vpc_cidr,
    var.zone_count,
    var.visibility_timeout_seconds,
    var.drain_timeout_seconds,
    var.idle_minutes,
    var.permissions_boundary_arn,
    var.log_retention_days,
    var.alarm_email,
    var.budget_email,
    var.budget_usd,
    var.budget_tag,
  ]
}

run "a_default_fleet_that_is_none_of_the_fleets_is_refused" {
  command = plan

  variables {
    default_fleet = "none"
  }

  expect_failures = [var.default_fleet]
}

run "an_image_that_the_made_network_has_no_way_to_is_refused" {
  command = plan

  variables {
    image = "docker.io/team/stepbench:1.0"
  }

  expect_failures = [var.image]
}

run "an_image_in_another_regions_ecr_is_refused_too" {
  command = plan

  variables {
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/stepbench:1.0"
  }

  expect_failures = [var.image]
}

run "in_a_given_network_an_image_may_come_from_anywhere" {
  variables {
    image      = "docker.io/team/stepbench:1.0"
    vpc_id     = "vpc-0aaa"
    subnet_ids = ["subnet-0aaa"]
  }

  assert {
    condition     = output.image == "docker.io/team/stepbench:1.0"
    error_message = "its NAT leads there"
  }
}

run "a_key_of_another_region_is_refused" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/1"
  }

  expect_failures = [var.kms_key_arn]
}

run "a_name_that_ecs_keeps_for_itself_is_refused" {
  command = plan

  variables {
    name = "ecs-bench"
  }

  expect_failures = [var.name]
}

run "a_name_that_looks_like_results_queues_is_refused" {
  command = plan

  variables {
    name = "bench-results"
  }

  expect_failures = [var.name]
}

run "a_prefix_that_climbs_is_refused" {
  command = plan

  variables {
    prefix = "runs/../"
  }

  expect_failures = [var.prefix]
}

run "a_vpc_without_subnets_is_refused" {
  command = plan

  variables {
    vpc_id = "vpc-0aaa"
  }

  expect_failures = [var.subnet_ids]
}

run "a_key_is_given_or_made_and_not_both" {
  command = plan

  variables {
    kms_key_arn    = "arn:aws:kms:eu-west-1:123456789012:key/1"
    create_kms_key = true
  }

  expect_failures = [var.kms_key_arn]
}
