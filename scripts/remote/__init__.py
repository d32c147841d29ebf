"""The orchestrator as a task in the region of the stack."""
