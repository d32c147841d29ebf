"""The worker: takes step messages, has its executors run them, publishes completions."""
