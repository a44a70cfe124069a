"""Kinds of authentication.k8s.io, served below /apis/authentication.k8s.io."""
