"""Fetch feeds, process their documents and manage the list of feeds."""
