"""Metrics files to statistics to what a person reads. Needs no AWS and no queue."""
