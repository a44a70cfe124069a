"""Floor 4: which node a pod goes to."""
