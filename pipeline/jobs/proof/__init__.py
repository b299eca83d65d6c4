"""The proof mail and the decisions made from it."""
