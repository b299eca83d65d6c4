"""Deliver editions, proofs and alerts: a module for each backend, and the messages they send."""
