"""The horizontal pod autoscaler (`pkg/controller/podautoscaler`).

`controller.py` looks at each autoscaler every 15 s; `metrics.py` reads the resource metrics API;
`replica_calculator.py` proposes a number of replicas; `behavior.py` holds proposals back and limits their pace;
`status.py` keeps conditions.
"""
