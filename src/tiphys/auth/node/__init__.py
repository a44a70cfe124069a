"""What nodes may do: only what the pods bound to them need (kubernetes `plugin/pkg/auth/authorizer/node`)."""
