"""From a URL to entries: fetch, parse, normalise and deduplicate. Stores nothing."""
