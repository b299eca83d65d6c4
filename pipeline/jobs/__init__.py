"""Use cases, a package for each capability: what the command line, the daemon and the web pages call."""
