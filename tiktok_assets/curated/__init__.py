"""Business meaning: one module per question, as pure functions of the tables before, and each declared as a ``Table``.

Belongs here: joins of reports, and the tables that people query: what a row is, what each column means and is made of
(its schema), which tables and how many earlier days it needs, what is promised of it, what the warehouse publishes.
The list of all tables is ``registry``. Does not belong here: reading or writing anything, Dagster, DuckDB.
"""
