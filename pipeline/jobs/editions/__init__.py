"""The life of an edition: approve, hold, skip and send."""
