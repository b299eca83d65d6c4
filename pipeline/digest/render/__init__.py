"""Render a digest as HTML and plain text."""
