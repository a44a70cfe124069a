"""Resource quotas: what an object counts for, which quota counts it, and what a quota has used.

The admission plugin charges with it before an object is stored; the controller counts anew with it.
"""
