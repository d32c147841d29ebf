"""Fleets of workers on ECS: seen, started and scaled by whoever starts runs. How many a backlog needs, AWS decides."""
