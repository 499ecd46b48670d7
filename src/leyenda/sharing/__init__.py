"""Model cards and the hub."""
