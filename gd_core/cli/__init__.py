"""The commands: what they read and what they print."""
