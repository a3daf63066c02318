"""Dagster wiring only: an asset takes its slice, calls a pure function and returns the rows with metadata."""
