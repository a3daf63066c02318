"""Client statements: a month of an account, numbered, frozen as it was believed on the day of issue, and kept.

``month``: the numbers. ``statement``: what is kept, and what was corrected since. ``page``: how it looks. ``kept``:
where it lies. ``issue``: how one is made.
"""
