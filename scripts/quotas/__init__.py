"""AWS's quotas of running vCPUs against what the fleets of a stack could start."""
