"""Compose selected entries into a digest."""
