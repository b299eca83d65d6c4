"""Fetch documents over HTTP."""
