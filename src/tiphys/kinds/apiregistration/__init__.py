"""Kinds of apiregistration.k8s.io, served below /apis/apiregistration.k8s.io."""
