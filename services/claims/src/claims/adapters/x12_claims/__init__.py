"""Claims as 837 interchanges, professional (X222A1) and institutional (X223A2)."""

from claims.adapters.x12_claims.claim_format import X12ClaimFormat

__all__ = ["X12ClaimFormat"]
