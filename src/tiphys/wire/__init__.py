"""Floor 1: encodings other than JSON."""
