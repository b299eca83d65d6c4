"""The common part of mail services with an API: HTTP, results, the parts of a message, webhooks."""
