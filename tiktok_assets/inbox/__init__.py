"""From a dropped file to a decision: its account; kept, quarantined or already known; and its receipt."""
