"""Pages a browser opens. They call jobs and show what comes back."""
