# terraform test -var-file=examples/with-a-function/terraform.tfvars -filter=tests/example_with-a-function.tftest.hcl

mock_provider "aws" {
  source = "./tests/mocks"
}

run "a_function_beside_a_fleet" {
  assert {
    condition     = keys(output.fleets) == ["small"] && output.function_arn == "arn:aws:lambda:eu-west-1:123456789012:function:functions-function"
    error_message = "the fleet and the function"
  }

  assert {
    condition     = strcontains(output.dotenv, "ORCH_LAMBDA_FUNCTION=${output.function_arn}\n") && strcontains(output.dotenv, "ORCH_STEPS_QUEUE_URL=${output.steps_queue_urls["small"]}\n")
    error_message = "a run may go to either"
  }

  assert {
    condition     = endswith(output.function_image, ":latest-amd64")
    error_message = "the image for one architecture"
  }
}
