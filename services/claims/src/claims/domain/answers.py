"""What receivers and payers say of a claim on its way, before and beside any decision: 277CA and 277."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.money import Money

CLEARINGHOUSE = "clearinghouse"
_UNANSWERED = ("D", "E", "R")
_NOT_TAKEN = frozenset({"A3", "A4", "A6", "A7", "A8"})


class SubmissionAnswer(CanonicalModel):
    """One 277CA's word on one submission of a claim.

    `reporter` is `payer` or `clearinghouse`, or empty where nobody says; `submission_id` is the interchange that is
    answered, or None where the answer does not name it.
    """

    reporter: Public[str]
    accepted: bool
    codes: tuple[Public[str], ...]
    submission_id: UUID | None = None


class ReportedStatus(CanonicalModel):
    """One 277's word on a claim: category codes (STC01-1), status codes (STC01-2), and amounts where it tells them."""

    inquiry_reference: Public[str]
    category_codes: tuple[Public[str], ...]
    status_codes: tuple[Public[str], ...]
    payer_control_number: Financial[str] = ""
    charge: Money | None = None
    paid: Money | None = None
    status_date: Financial[date] | None = None

    @property
    def needs_a_person(self) -> bool:
        """Whether waiting will not help: the payer does not find it, rejected it, wants more, or could not answer.

        Source: X12 code list 507, claim status category codes.
        """
        return any(code in _NOT_TAKEN or code.startswith(_UNANSWERED) for code in self.category_codes)
