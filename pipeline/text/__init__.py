"""Pure functions on strings: HTML, Markdown, URLs, titles, dates. They know nothing of entries, feeds or digests."""
