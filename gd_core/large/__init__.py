"""Training on more rows than fit into memory, by one process or by many."""
