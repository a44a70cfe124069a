"""Floor 4: nodes, simulated and real."""
