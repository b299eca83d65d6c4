"""Select the entries of a week."""
