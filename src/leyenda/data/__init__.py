"""Any source becomes the same Examples."""
