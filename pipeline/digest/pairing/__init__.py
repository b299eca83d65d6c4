"""Find entries that are about one story."""
