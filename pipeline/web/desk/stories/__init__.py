"""The Stories view of a week: edit, order, split, join and leave out what the feeds published."""
