"""Room 1: from a URL to entries. Fetch, parse, normalise, dedupe; keeps nothing."""
