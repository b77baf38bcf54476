"""What the lesson of the gradient computes: each row's part in it, and slopes by finite differences."""
