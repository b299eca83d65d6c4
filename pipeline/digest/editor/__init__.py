"""The editor's file: parse, write and apply overrides."""
