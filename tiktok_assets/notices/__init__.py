"""What people are told without looking: the digest of a week, and alerts.

Belongs here: what is said (``digest``, ``alerts``, ``messages``), to whom it was said (``ledger``), and how it gets
there (``delivery``). Does not belong here: when (``sensors``, ``schedules``), and the numbers themselves (``curated``,
``reporting.facts``).
"""
