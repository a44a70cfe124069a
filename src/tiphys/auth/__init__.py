"""Floor 3: who asks, and may they."""
