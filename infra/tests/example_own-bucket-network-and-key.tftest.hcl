# terraform test -var-file=examples/own-bucket-network-and-key/terraform.tfvars -filter=tests/example_own-bucket-network-and-key.tftest.hcl

mock_provider "aws" {
  source = "./tests/mocks"
}

override_data {
  target = module.storage.data.aws_s3_bucket.given
  values = { id = "company-benchmarks", region = "eu-west-1" }
}

run "what_was_given_is_used" {
  assert {
    condition     = output.bucket == "company-benchmarks" && output.orchestrator_task.subnet_ids == tolist(["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"])
    error_message = "bucket and subnets"
  }

  assert {
    condition     = strcontains(output.dotenv, "KMS_KEY_ID=arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555\n") && strcontains(output.dotenv, "ORCH_PREFIX=stepbench/runs/{date}/{run_id}/\n") && strcontains(output.dotenv, "ORCH_RESULTS_QUEUE_URL=https://")
    error_message = "key, prefix and results queue"
  }

  assert {
    condition     = strcontains(output.policies["worker/small"], "arn:aws:s3:::company-benchmarks/stepbench/runs/*") && strcontains(output.policies["worker/small"], "key/11111111-2222-3333-4444-555555555555")
    error_message = "workers stay below the prefix"
  }
}
