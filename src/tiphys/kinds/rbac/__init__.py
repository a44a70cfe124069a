"""Kinds of rbac.authorization.k8s.io, served below /apis/rbac.authorization.k8s.io."""
