"""Access to the desk: links to log in, and sessions."""
