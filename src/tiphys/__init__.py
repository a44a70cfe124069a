"""Tiphys: a whole Kubernetes cluster in Python.

The floors, from the bottom: base; store, schema, pki, resource, wire; api, client;
kinds, admission, auth; server, controllers, scheduler, node; cluster; cli.
"""

__version__ = "0.1.0"
