mock_provider "aws" {
  source = "./tests/mocks"
}

run "with_nothing_given_one_small_fargate_fleet_is_made" {
  assert {
    condition     = keys(output.fleets) == ["small"] && output.fleets["small"].launch == "fargate" && output.fleets["small"].max == 10
    error_message = "the default is one fleet called small on Fargate"
  }
}
