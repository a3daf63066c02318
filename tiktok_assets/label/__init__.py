"""What a label writes down beside its accounts: its songs (``songs.toml``) and its targets (``targets.csv``)."""
