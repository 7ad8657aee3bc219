"""The content hash of a remittance: over what it says, so that another layout of the same has the same hash.

It is taken from the claims as read, in the first pass, because every claim of every file goes through here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from x12.remittance import Adjustment, ClaimPayment, ProviderAdjustment, ServiceLine


class RemittanceDigest:
    """Takes claims in file order, then the payment and the provider adjustments; positions and spans do not count."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add_claim(self, claim: ClaimPayment) -> None:
        head = (
            f"CLP|{claim.patient_control_number}|{claim.status}|{claim.charge_minor}|{claim.paid_minor}|"
            f"{claim.patient_responsibility_minor}|{claim.payer_control_number}{_adjustments(claim.adjustments)}\n"
        )
        self._hash.update((head + "".join([_line(line) for line in claim.lines])).encode())

    def finish(self, payment_minor: int, adjustments: Iterable[ProviderAdjustment]) -> str:
        """The hash, in hexadecimal."""
        for plb in adjustments:
            line = f"PLB|{plb.provider_id}|{plb.fiscal_date}|{plb.reason}|{plb.reference}|{plb.amount_minor}\n"
            self._hash.update(line.encode())
        self._hash.update(f"BPR|{payment_minor}\n".encode())
        return self._hash.hexdigest()


def _line(line: ServiceLine) -> str:
    procedure = ",".join(line.procedure)
    return (
        f"SVC|{procedure}|{line.charge_minor}|{line.paid_minor}|"
        f"{line.line_control_number}{_adjustments(line.adjustments)}\n"
    )


def _adjustments(adjustments: Iterable[Adjustment]) -> str:
    return "".join([f"|{cas.group},{cas.reason},{cas.amount_minor}" for cas in adjustments])
