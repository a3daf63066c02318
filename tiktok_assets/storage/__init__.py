"""Where tables lie and how they get there: the lake's folders, and the IO managers of Parquet and DuckDB."""
