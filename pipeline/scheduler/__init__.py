"""The scheduler: which tasks are due, who runs them, and whether it is alive. It reaches storage through a port."""
