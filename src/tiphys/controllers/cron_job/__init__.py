"""The cron job controller: makes a Job whenever a schedule says so (`pkg/controller/cronjob`).

`controller.py` reconciles; `run_time.py` says which run is due and which comes next; `children.py` keeps the list of
active Jobs and the history.
"""
