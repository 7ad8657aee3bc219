"""What the service does: use cases, reactions, sweeps, what it announces and what it can be asked."""
