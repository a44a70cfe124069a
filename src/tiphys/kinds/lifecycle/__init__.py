"""Kinds of lifecycle.k8s.io, served below /apis/lifecycle.k8s.io."""
