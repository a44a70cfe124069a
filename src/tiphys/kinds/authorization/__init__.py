"""Kinds of authorization.k8s.io, served below /apis/authorization.k8s.io."""
