"""Commands about people: subscribers, their import and export, and mail that came back from them."""
