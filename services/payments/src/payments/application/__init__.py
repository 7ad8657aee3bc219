"""What payments does, in terms of its aggregates and ports."""
