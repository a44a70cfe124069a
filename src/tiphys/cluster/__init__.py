"""Floor 5: the composition root: boot is a list of named steps."""
