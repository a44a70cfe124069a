"""Kinds of internal.apiserver.k8s.io, served below /apis/internal.apiserver.k8s.io."""
