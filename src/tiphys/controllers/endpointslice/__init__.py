"""The endpointslice controller: the addresses behind each service, in slices (`k8s.io/endpointslice`).

`controller.py` hears events and writes; `endpoint.py` makes endpoints and ports of pods; `packing.py` decides which
slices to make, change and delete so that few are written.
"""
