"""Kinds of flowcontrol.apiserver.k8s.io, served below /apis/flowcontrol.apiserver.k8s.io."""
