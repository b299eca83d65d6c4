"""Ways to read a feed, one file a kind: bytes in, RawEntry out. Pure."""
