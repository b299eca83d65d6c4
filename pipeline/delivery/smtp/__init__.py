"""Sending through a mail server by SMTP."""
