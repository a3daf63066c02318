"""Runs without a web server: process what is new, and rebuild the lake from landing."""
