"""Floor 1: what a pod asks for, and what an object counts for in a quota."""
