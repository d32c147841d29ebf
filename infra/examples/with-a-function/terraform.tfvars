# A small fleet, and a Lambda function of about the same size to compare it with: `start --channel lambda`. The function
# wants its image: scripts/deploy makes all else first, and the function once the image was pushed; see docs/aws.md.

name = "functions"

fleets = {
  small = { launch = "fargate", cpu = 1024, memory = 2048, max = 4 }
}

function = { max = 4, memory = 1769 }
