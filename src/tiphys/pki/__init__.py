"""Floor 1: the certificate authority, certificates, kubeconfig files."""
