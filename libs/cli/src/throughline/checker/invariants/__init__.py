"""The invariants, each a function from what was read to a result."""
