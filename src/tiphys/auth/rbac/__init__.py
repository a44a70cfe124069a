"""Role-based access control: rules, who is bound to them, who may hand them on (kubernetes `plugin/pkg/auth`)."""
