"""Feed documents to `ParsedFeed`: the only package that imports feedparser, and lxml for feeds."""
