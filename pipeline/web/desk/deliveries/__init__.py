"""The desk's pages of deliveries, and the service behind them."""
