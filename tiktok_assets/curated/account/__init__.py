"""Days and periods of an account, and accounts beside each other."""
