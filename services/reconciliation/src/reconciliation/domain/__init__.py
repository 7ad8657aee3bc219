"""Controls, breaks, runs, and what the public streams witness."""
