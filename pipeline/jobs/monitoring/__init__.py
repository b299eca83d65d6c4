"""Health, status and alerts."""
