"""The audit log: who did what when, by upstream's policy and in upstream's events (`audit.k8s.io/v1`)."""
