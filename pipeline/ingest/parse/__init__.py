"""Feed documents to `ParsedFeed`: the only package that imports feedparser, and lxml for feeds."""

PARSER_VERSION = 11
"""Increase it when the same entry is parsed differently than before: every feed is then read and parsed whole, once."""
