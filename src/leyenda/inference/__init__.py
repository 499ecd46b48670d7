"""Pictures in, captions out."""
