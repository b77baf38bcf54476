"""What the lesson of the variants computes: who races, and what the race came to."""
