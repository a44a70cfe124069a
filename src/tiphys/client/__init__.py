"""Floor 2: how everything inside the cluster meets the API: transport, informer, work queue."""
