"""Errors, events and restated numbers."""
