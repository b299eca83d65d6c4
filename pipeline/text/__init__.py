"""Pure string functions: HTML, URLs, names, Markdown. Know no entry, no feed, no digest."""
