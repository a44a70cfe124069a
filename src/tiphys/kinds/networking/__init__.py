"""Kinds of networking.k8s.io, served below /apis/networking.k8s.io."""
