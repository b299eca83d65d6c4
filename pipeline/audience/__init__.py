"""Rules about people: addresses, consent, subscriptions, tokens. Pure."""
