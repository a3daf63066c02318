"""Questions to the published warehouse and to raw rows, as functions and commands."""
