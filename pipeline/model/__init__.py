"""The domain model: frozen records, and the errors."""
