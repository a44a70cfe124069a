"""Kinds of storagemigration.k8s.io, served below /apis/storagemigration.k8s.io."""
