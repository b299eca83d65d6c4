"""Seal editions and compare them."""
