"""Songs, the label's unit: whose videos they are, and what these gain."""
