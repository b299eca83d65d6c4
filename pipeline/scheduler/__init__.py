"""The scheduler: which tasks are due, who runs them, and whether it is alive. Storage is reached by a port."""
