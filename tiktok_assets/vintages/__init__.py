"""What was known when: tables as of an earlier moment, and where one number comes from."""
