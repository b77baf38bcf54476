"""What the lesson of deep networks computes: a network, its training, and what its first layer hears."""
