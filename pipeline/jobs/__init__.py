"""One file a job: what the command line, the daemon and the pages do, strung together from the rooms."""
