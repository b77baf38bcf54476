"""Rows in, numbers out: what stands in a file. Knows no run."""
