"""A newsletter and podcast content pipeline: feeds in, one weekly digest out."""

__version__ = "0.1.0"
