"""Pictures of what is known of an account: the page people open, and the sketches in Dagster's UI.

Belongs here: frames of curated to numbers, charts and one HTML page. Does not belong here: Dagster, and what the
numbers mean (``curated``). TikTok Studio's own reports are in ``reports``.
"""
