"""Floor 4: control loops, one file each."""
