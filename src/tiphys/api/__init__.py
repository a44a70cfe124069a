"""Floor 2: generic verbs over any kind: no kind is named here."""
