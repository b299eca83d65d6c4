"""The page of useful links."""
