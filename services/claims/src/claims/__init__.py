"""The claims service: from an encounter's charges to a claim at the payer, and from its answers to the adjudication."""
