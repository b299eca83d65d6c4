"""Web pages: they call jobs and show the results."""
