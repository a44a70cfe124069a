"""The node lifecycle controller: notices nodes that fell silent and taints them (`pkg/controller/nodelifecycle`).

`health.py` judges one node's heartbeats; `taints.py` says which taints its conditions call for; `zone.py` how fast
silent nodes of a zone may be emptied; `controller.py` looks round every five seconds. Evicting the pods is
`taint_eviction.py`'s work.
"""
