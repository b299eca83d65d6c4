"""Parts of the desk about the whole publication: the navigation of every page."""
