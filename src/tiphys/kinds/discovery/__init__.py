"""Kinds of discovery.k8s.io, served below /apis/discovery.k8s.io."""
