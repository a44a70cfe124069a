"""Floor 0: what everything stands on and that stands on nothing itself."""
