"""From a dropped file to a decision: whose it is, kept, quarantined or already known, and its receipt."""
