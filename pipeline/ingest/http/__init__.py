"""HTTP for feeds: the only package that imports httpx and h11, apart from `pipeline.delivery`."""
