"""Paths below an object that are not plain reads and writes of it. Each file says which in SPECIAL."""
