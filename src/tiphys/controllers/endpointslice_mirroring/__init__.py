"""The endpointslice mirroring controller: slices of Endpoints that users write.

From upstream's `pkg/controller/endpointslicemirroring`.

`controller.py` hears events and writes; `mirror.py` makes slices of Endpoints.
"""
