"""The pages for subscribers, which may face the internet: sign-up, confirmation, preferences, unsubscribing."""
