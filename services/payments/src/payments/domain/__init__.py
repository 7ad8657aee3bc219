"""The aggregates of payments, and the rules by which money is matched."""
