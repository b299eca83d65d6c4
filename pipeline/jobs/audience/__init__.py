"""Use cases of people: signing up, confirming, choosing, leaving; and what the operator does with subscribers."""
