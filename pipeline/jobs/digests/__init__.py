"""Build the digest of a week."""
