"""Mailboxes that messages come back to: read from a Maildir or over IMAP."""
