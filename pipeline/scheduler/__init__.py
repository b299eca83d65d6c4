"""Decide which tasks are due, claim them and run them."""
