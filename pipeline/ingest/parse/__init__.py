"""Parse feed documents into entries."""
