"""Pair the entries of different feeds that are one story."""
