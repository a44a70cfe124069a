"""Kinds of coordination.k8s.io, served below /apis/coordination.k8s.io."""
