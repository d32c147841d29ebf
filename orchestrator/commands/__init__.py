"""Subcommands of `python -m orchestrator`, one file each."""
