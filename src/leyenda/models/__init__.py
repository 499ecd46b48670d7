"""Captioning checkpoints: load, create, generate, save."""
