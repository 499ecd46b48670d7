"""Where captions go: one file for each kind, and the registry of all of them."""
