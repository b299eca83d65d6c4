"""Pages about feeds and links."""
