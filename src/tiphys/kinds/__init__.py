"""Floor 3: the built-in kinds, one file each: facts and behaviour the definitions lack."""
