"""Floor 3: admission plugins, one file each."""
