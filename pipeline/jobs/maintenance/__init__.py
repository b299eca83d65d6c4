"""Jobs that maintain a publication: set it up, back it up, restore, prune, export and import it."""
