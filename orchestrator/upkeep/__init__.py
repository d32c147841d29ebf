"""What is looked after beside the runs: step messages that nobody could do, and what old runs left behind."""
