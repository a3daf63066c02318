"""What the README's figures come from: whole tasks beside a bare floor, in the same run, quoted as ratios."""
