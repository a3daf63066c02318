"""The tables of the pipeline before this one: read, migrated, validated."""
