"""The daemonset controller: one pod on every node that allows it (`pkg/controller/daemon`).

`controller.py` hears events and writes; `eligibility.py` says which nodes should have a pod; `pod_template.py` ties
a pod to its node; `placement.py` says what is missing and what is too much; `rolling.py` which pods make place for a
new revision; `revisions.py` keeps the history; `status.py` counts; `failed_pods.py` keeps from hot loops.
"""
