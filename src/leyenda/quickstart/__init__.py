"""The embedded first run: drawings, demo model, report."""
