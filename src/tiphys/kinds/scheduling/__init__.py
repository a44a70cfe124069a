"""Kinds of scheduling.k8s.io, served below /apis/scheduling.k8s.io."""
