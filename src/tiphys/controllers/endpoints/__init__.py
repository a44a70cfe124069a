"""The endpoints controller: the addresses behind each service, in one object (`pkg/controller/endpoint`).

`controller.py` hears events and writes; `subsets.py` packs addresses and ports.
"""
