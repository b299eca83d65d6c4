"""Edit a week's overrides and hand-added links."""
