"""Kinds of the core group, served below /api/v1."""
