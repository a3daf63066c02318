"""Pictures of what is known of an account: the page people open, and the sketches in Dagster's UI.

Belongs here: frames of curated to numbers, charts and one HTML page. Does not belong here: Dagster, and what the
numbers mean (``curated``). TikTok Studio's own reports are in ``reports``.
"""

ADDRESS = "/roster/"
"""Where the web server of `make dev` serves the front page, with the accounts' pages beside it."""
