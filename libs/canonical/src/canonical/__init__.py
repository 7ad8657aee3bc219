"""The model that every service, and every subscriber outside, shares: facts of patient billing in exact types."""
