"""Floor 4: the request pipeline and the HTTP server under it."""
