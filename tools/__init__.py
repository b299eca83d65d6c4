"""What maintainers run: the catalogs of languages, the gallery of mails. Nothing here is part of the program."""
