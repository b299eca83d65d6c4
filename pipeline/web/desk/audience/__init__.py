"""The desk's pages of people, and the service behind them."""
