"""What the lesson of the learning rate computes: four rates, the sweep over all of them, and a challenge."""
