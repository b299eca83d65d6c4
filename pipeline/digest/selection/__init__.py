"""Select the stories of a week, and explain every decision."""
