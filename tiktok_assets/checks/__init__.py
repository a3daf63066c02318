"""Asset checks: promises about tables, each named as one. Pure findings first, Dagster's words around them."""
