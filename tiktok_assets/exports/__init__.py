"""What a TikTok Studio export *is*: names, containers, text tables, day labels and years.

Belongs here: everything that can be said of a file without knowing what its numbers mean.
Does not belong here: Dagster, the data lake, typed values (``tiktok_assets.reports``).
"""
