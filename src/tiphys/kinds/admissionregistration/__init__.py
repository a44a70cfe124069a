"""Kinds of admissionregistration.k8s.io, served below /apis/admissionregistration.k8s.io."""
