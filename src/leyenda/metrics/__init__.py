"""Captions and references become scores."""
