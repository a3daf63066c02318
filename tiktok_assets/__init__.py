"""TikTok Studio exports as a trusted, queryable warehouse."""

import os

# Polars' allocator gives freed memory back at once: a list of 1,000,000 videos takes 0.85 GB instead of 1.05, for 10%
# more time. It is read when Polars is loaded, so it stands before every import of ours.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0")
