"""A run: plan, state machine, loop, first payload, journal."""
