"""Executors and who keeps them: what both say to each other, and how executors are started, fed, watched, replaced."""
