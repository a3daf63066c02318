"""What was known when: the tables as of an earlier day, and where one number comes from."""
