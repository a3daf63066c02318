"""Which days the exports cover, and which export to make next."""
