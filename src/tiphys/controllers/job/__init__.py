"""The job controller: runs pods until enough of them have succeeded (`pkg/controller/job`).

`controller.py` hears events and reconciles; `sync.py` is one reconcile's view of a Job and `verdict.py` what follows
from it: whether it has failed or succeeded; `pods.py` makes and deletes pods; `tracking.py` counts ended pods, each
once, by their finalizer and the status; `orphan_pods.py` frees the pods nobody counts any more.
`completion_index.py`, `backoff.py`, `pod_failure_policy.py`, `success_policy.py`, `condition.py` and `features.py`
compute.
"""
