"""Deliver sealed editions to subscribers, each to each once."""
