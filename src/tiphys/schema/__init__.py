"""Floor 1: upstream's definitions of a Kubernetes version: type check, prune, patch."""
