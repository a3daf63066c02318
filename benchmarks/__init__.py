"""What the README's figures come from: whole tasks compared with a bare floor, in the same run, quoted as ratios."""
