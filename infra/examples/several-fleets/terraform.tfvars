# One apply, several kinds of machine to compare: `start --fleet small`, `start --fleet c7g` and so on.

name = "compare"

default_fleet = "small"

fleets = {
  small = { launch = "fargate", cpu = 1024, memory = 4096, max = 10 }
  arm   = { launch = "fargate", cpu = 4096, memory = 8192, architecture = "arm64", max = 4, spot = true }
  c7g   = { launch = "ec2", instance_type = "c7g.4xlarge", max = 2, spot = true }
  m7i   = { launch = "ec2", instance_type = "m7i.2xlarge", max = 2 }
}

alarm_email  = "team@example.com"
budget_email = "team@example.com"
budget_usd   = 100
