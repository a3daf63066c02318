"""Queries of the published warehouse and of raw rows, as functions."""
