"""Videos: totals, growth, virality, and what goes with more views."""
