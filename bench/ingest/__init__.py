"""What a run of many feeds costs, ours and others', side by side on one machine: ``python -m bench.ingest``."""
