"""X12 for the whole project: bytes to segments, remittances and claims with their byte spans, and claims back to bytes."""
