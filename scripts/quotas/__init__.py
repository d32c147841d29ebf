"""AWS's quotas of what runs at once against what a stack could start: vCPUs of its fleets, steps of its function."""
