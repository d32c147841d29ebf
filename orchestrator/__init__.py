"""The orchestrator: plans a run, drives its chains, journals and reports it."""
