"""Kinds of certificates.k8s.io, served below /apis/certificates.k8s.io."""
