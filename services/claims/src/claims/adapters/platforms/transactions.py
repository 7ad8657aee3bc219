"""Billing-ready transactions for an external platform: UTF-8 JSON Lines between a head and a trailer with control totals.

    {"record": "head", "format": "billing-ready.v1", "batch": "000000123", "platform": "northstar", "entity": {...}, "payer": {...}}
    {"record": "claim", "transaction": "<uuid>", "control_number": "...", "frequency": "1", "encounter_id": "...", "lines": [...], ...}
    {"record": "trail", "claims": 1, "total": "250.00 USD"}

A batch is of one entity and one payer. `transaction` is the idempotency key of a claim in this batch, and the batch's number that of
the whole. A field that is left out is empty. `frequency` 7 replaces and 8 voids what went under the same control number
before. `details` are of the patient: they are opened for these bytes alone, and rest nowhere beside them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from canonical.classes import CanonicalModel
from canonical.codes import ClaimFrequency
from canonical.ids import derive
from canonical.money import Money

from claims.application.ports import BillableClaim, FilePart
from claims.domain.claim_content import ClaimContent
from claims.domain.interchange_order import InterchangeOrder

FORMAT = "billing-ready.v1"
_BEGINNING = b'{"record":"head","format":"'
_PLAIN = "claim_type encounter_id location next_payers patient_id place_of_service plan prior sequence service_from service_to total"
_FIELDS = set(_PLAIN.split())


def is_transactions(content: bytes) -> bool:
    """Whether these bytes were written here."""
    return content.startswith(_BEGINNING)


class PlatformTransactions:
    """A `FilingFormat` for platforms. Whatever a claim can hold can be written."""

    def write(self, order: InterchangeOrder, claims: Sequence[BillableClaim]) -> bytes:
        total = Money.total(claim.content.total for claim in claims)
        records = [
            _head(order),
            *(_claim(order, claim) for claim in claims),
            {"record": "trail", "claims": len(claims), "total": str(total)},
        ]
        return b"".join(_line(record) for record in records)

    def write_validated(self, order: InterchangeOrder, claims: Sequence[BillableClaim]) -> bytes:
        return self.write(order, claims)

    def parts_about(self, content: bytes, patient_control_number: str) -> Sequence[FilePart]:
        """The head, the lines of this claim, and the trailer."""
        start, parts = 0, []
        for line in content.splitlines(keepends=True):
            record = json.loads(line)
            if record["record"] != "claim" or record["control_number"] == patient_control_number:
                parts.append(FilePart(start, line))
            start += len(line)
        return parts


def _head(order: InterchangeOrder) -> dict[str, object]:
    return {
        "record": "head",
        "format": FORMAT,
        "batch": order.control_number,
        "platform": order.platform,
        "created_at": order.created_at.isoformat(),
        "production": order.production,
        "entity": {"code": order.entity} | _said(order.billing),
        "payer": {"code": order.payer} | _said(order.payer_party),
        "other_payers": [{"code": each.code} | _said(each.party) for each in order.other_payers],
    }


def _claim(order: InterchangeOrder, claim: BillableClaim) -> dict[str, object]:
    content = claim.content
    number = content.patient_control_number
    again = order.resubmission_of(number)
    return {
        "record": "claim",
        "transaction": str(derive("platform-transaction", order.control_number, number)),
        "control_number": number,
        "frequency": (again.frequency if again else ClaimFrequency.ORIGINAL).value,
        "replaces": again.payer_control_number if again else "",
        **content.model_dump(mode="json", include=_FIELDS),
        "providers": [_said(each) for each in order.providers if each.code in _providers_of(claim)],
        "lines": _lines(content),
        "details": _said(claim.phi),
    }


def _lines(content: ClaimContent) -> list[dict[str, object]]:
    """Each with its number, by which payments name it."""
    return [{"line": number} | _said(line) for number, line in enumerate(content.lines, 1)]


def _providers_of(claim: BillableClaim) -> set[str]:
    stay = claim.phi.stay
    return {
        claim.content.rendering_provider,
        claim.phi.referring_provider,
        stay.attending_provider if stay else "",
    }


def _said(model: CanonicalModel) -> dict[str, object]:
    """Without what is empty, so that a field added one day changes no bytes written before."""
    said: dict[str, object] = model.model_dump(mode="json", exclude_defaults=True)
    return said


def _line(record: dict[str, object]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
