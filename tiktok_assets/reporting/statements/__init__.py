"""Client statements: a month of an account, or of all of a client's, numbered, frozen as believed on the day of issue.

``month``: the numbers. ``statement``: what is kept, and what was corrected since. ``page``, ``client_page``: how it
looks. ``kept``: where it lies. ``issue``: how one is made.
"""
