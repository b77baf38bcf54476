"""What leaves the app: scripts, notebooks, records, tables of epochs."""
