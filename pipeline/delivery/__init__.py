"""Backends and messages: an edition, a proof or an alert leaves the program. One file a backend."""
