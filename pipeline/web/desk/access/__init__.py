"""Logging in to the desk: links, sessions and roles."""
