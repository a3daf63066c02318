"""Dagster wiring only: an asset takes its partitions, calls a pure function and returns the rows with metadata."""
