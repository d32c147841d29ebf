# The least that runs: one fleet of at most two small workers on Fargate, in a VPC of their own.

name = "smallest"

fleets = {
  small = { launch = "fargate", cpu = 512, memory = 2048, max = 2 }
}
