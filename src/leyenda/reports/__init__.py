"""Scores and predictions become a page."""
