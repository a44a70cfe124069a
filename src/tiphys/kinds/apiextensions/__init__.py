"""Kinds of apiextensions.k8s.io, served below /apis/apiextensions.k8s.io."""
