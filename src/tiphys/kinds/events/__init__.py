"""Kinds of events.k8s.io, served below /apis/events.k8s.io."""
