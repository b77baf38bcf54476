"""What the lesson of one parameter computes: what the point does, and the run as a spreadsheet."""
