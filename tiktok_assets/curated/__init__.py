"""Business meaning: one module per question, as pure functions of staged rows.

Belongs here: joins of reports, and the tables that people query, with a description of every column.
Does not belong here: reading or writing anything, Dagster.
"""
