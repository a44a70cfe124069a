"""Kinds of storage.k8s.io, served below /apis/storage.k8s.io."""
