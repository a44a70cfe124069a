"""Kinds of node.k8s.io, served below /apis/node.k8s.io."""
