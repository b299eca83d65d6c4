"""Upload pictures for introductions, notes and stories."""
