"""Revisions of charges, and what claims says of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from canonical.codes import PayerClass, RevisionReason
from canonical.events.claims import ClaimRevised
from canonical.events.intake import ChargesRevised, PostedCharges

from .examples import PATIENT, charged, claim_id, encounter_id, money

REVISED_ON = date(2026, 3, 9)


def revised(
    before: PostedCharges, amounts: Sequence[str], revision: int = 1, *, departments: Sequence[str] = ("N-FM",)
) -> ChargesRevised:
    """The posting with these charges now; none of them, and it is void."""
    now = charged(1, amounts, payer=before.payer, departments=departments)
    fields = {name: getattr(now, name) for name in PostedCharges.model_fields}
    return ChargesRevised(
        **{**fields, "service_from": before.service_from, "service_to": before.service_to},
        revision=revision,
        previous_charges=before.charges,
        previous_total=before.total,
        reason=RevisionReason.CORRECTION if amounts else RevisionReason.VOID,
        revised_on=REVISED_ON,
    )


def claim_revised(revision: int = 1, *, decided: bool) -> ClaimRevised:
    return ClaimRevised(
        claim_id=claim_id(),
        encounter_id=encounter_id(),
        posting=1,
        patient_id=PATIENT,
        entity="NORTH",
        payer="ACME",
        payer_class=PayerClass.COMMERCIAL,
        revision=revision,
        total=money("60.00"),
        decided=decided,
        effective_date=REVISED_ON,
    )
