"""The cost of a run of many feeds, compared with other programs on one machine: ``python -m bench.ingest``."""
