"""Namespaces being deleted.

`controller.py` goes on until `content.py` finds nothing left; `condition.py` tells what there is to wait for.
"""
