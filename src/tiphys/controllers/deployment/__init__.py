"""The deployment controller: rolls a set of pods from one template to the next (`pkg/controller/deployment`).

`controller.py` hears events and decides what is due; `rollout.py` holds one reconcile's view and its writes;
`rolling.py` and `recreate.py` are the two strategies; `scaling.py` sizes replica sets; `revision.py` finds or
makes the new one; `progress.py` tells how it goes; `arithmetic.py` and `template_hash.py` compute.
"""
