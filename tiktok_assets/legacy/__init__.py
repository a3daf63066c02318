"""The tables of the legacy pipeline: reading, migrating, validating them."""
