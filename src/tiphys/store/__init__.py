"""Floor 1: the one place with state: one contract, several backends."""
