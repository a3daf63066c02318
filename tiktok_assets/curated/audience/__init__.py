"""Who follows and watches, and on which clock."""
