"""The statefulset controller: pods with names, order and volumes of their own (`pkg/controller/statefulset`).

`controller.py` hears events; `revisions.py` finds or makes the two revisions a set is between; `rollout.py` takes
one step towards the wanted pods, `update.py` towards the wanted revision; `identity.py` says what a pod of an ordinal
looks like; `pod_control.py` makes and deletes pods with their claims; `claim_retention.py` says whose the claims
are; `status.py` counts.
"""
