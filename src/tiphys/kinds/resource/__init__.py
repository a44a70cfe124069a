"""Kinds of resource.k8s.io, served below /apis/resource.k8s.io."""
