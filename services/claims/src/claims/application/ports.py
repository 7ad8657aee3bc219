"""What claims needs from outside, each with one real adapter and one fake that pass the same tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from canonical.encounter import EncounterPhi
from canonical.sealed import Sealed
from chassis.domain import Refusal, Unavailable

from claims.domain.claim_content import ClaimContent
from claims.domain.coverage import CoverageAnswer
from claims.domain.inquiry_order import InquiryOrder
from claims.domain.interchange_order import InterchangeOrder


class TransportUncertain(Exception):
    """The sending was tried, and nobody knows whether the file arrived."""


class TransportUnavailable(Unavailable):
    """The exchange cannot be reached; nothing was sent."""


class RefusedByClearinghouse(Refusal):
    """The clearinghouse does not take what it was given, and will not take it later; a person must look."""


class Unwritable(Exception):
    """Claims that cannot go out as they are: by patient control number, the fields or segments and the rules. No PHI."""

    def __init__(self, by_claim: Mapping[str, tuple[str, ...]]) -> None:
        assert by_claim, "at least one claim is to blame"
        super().__init__(f"{len(by_claim)} claims cannot be written")
        self.by_claim = dict(by_claim)


@dataclass(frozen=True, slots=True)
class BillableClaim:
    """A claim with its opened details, in memory only. `phi` and everything made of it is PHI."""

    content: ClaimContent
    phi: EncounterPhi


@dataclass(frozen=True, slots=True)
class FilePart:
    """Bytes of a file from `start` on."""

    start: int
    content: bytes


class ClaimFormat(Protocol):
    """Claims as the receiver wants them. The same arguments give the same bytes, for ever."""

    def write(self, order: InterchangeOrder, claims: Sequence[BillableClaim]) -> bytes:
        """The bytes of one interchange.

        Raises:
            Unwritable: claims with values that the format cannot hold.
        """
        ...

    def write_validated(self, order: InterchangeOrder, claims: Sequence[BillableClaim]) -> bytes:
        """The same bytes, once a validator of the standard finds nothing wrong with them.

        Raises:
            Unwritable: claims with values that the format cannot hold, or that break a rule of the standard.
        """
        ...


class FilingFormat(ClaimFormat, Protocol):
    """A format whose bytes can be shown for one claim alone."""

    def parts_about(self, content: bytes, patient_control_number: str) -> Sequence[FilePart]:
        """What an interchange that this format wrote says of one claim: its envelope, and no other patient's segments."""
        ...


class ClaimTransport(Protocol):
    """The way to the receiver. A name is used for one content only."""

    def probe(self, name: str) -> str | None:
        """SHA-256 (hex) of what was sent under this name, or None where nothing was.

        Raises:
            TransportUnavailable: the exchange cannot be reached.
        """
        ...

    def send(self, name: str, content: bytes) -> None:
        """Delivers the file whole or not at all.

        Raises:
            TransportUnavailable: nothing was sent.
            TransportUncertain: nobody knows.
        """
        ...


@dataclass(frozen=True, slots=True)
class ReceivedAnswer:
    """A file that a clearinghouse has for us. `content` is PHI."""

    name: str
    content: bytes


class AnswerSource(Protocol):
    """Where answers of a clearinghouse are fetched."""

    def fetch(self, keep: Callable[[ReceivedAnswer], None]) -> int:
        """Gives each waiting answer to `keep`, and takes it away once it is kept; how many there were.

        Raises:
            TransportUnavailable: it cannot be reached; what was kept is kept.
        """
        ...


class RcmPlatform(ClaimTransport, AnswerSource, Protocol):
    """An external platform that works claims in our place: billing-ready transactions out, reports of what became of them in."""


Keep = Callable[[str, ReceivedAnswer], None]
"""Keeps an answer of the clearinghouse or platform that is named, where intake reads it."""


class NotAnAnswer(Refusal):
    """What a clearinghouse gave back is no answer to our question; nothing of it is kept."""


class RealTimeExchange(Protocol):
    """A clearinghouse that answers one question while we wait."""

    def ask(self, question: bytes) -> bytes:
        """The answer to one 270 or 276.

        Raises:
            TransportUnavailable: no answer in time; asking again does no harm.
            RefusedByClearinghouse: it does not take this question.
        """
        ...


class InquiryFormat(Protocol):
    """Questions to payers as they want them. The same arguments give the same bytes."""

    def coverage_question(self, order: InquiryOrder, claim: BillableClaim) -> bytes:
        """Asks for the coverage of the claim's patient on its first day.

        Raises:
            Unwritable: the claim has values that the format cannot hold.
        """
        ...

    def coverage_answer(self, order: InquiryOrder, answer: bytes) -> CoverageAnswer:
        """What is answered to the question of this order.

        Raises:
            NotAnAnswer: it is no answer to it.
        """
        ...

    def status_questions(self, order: InquiryOrder, claims: Sequence[BillableClaim]) -> bytes:
        """Asks where the claims stand; their traces count in this order.

        Raises:
            Unwritable: claims with values that the format cannot hold.
        """
        ...


@dataclass(frozen=True, slots=True)
class Inquiring:
    """How questions are written, who answers them in real time by name, and where their answers go."""

    inquiry_format: InquiryFormat
    exchanges: Mapping[str, RealTimeExchange]
    keep: Keep


class PatientDetailsVault(Protocol):
    """Opens sealed details, and tells the key database whose key a patient control number leads to."""

    def open_details(self, sealed: Sequence[Sealed]) -> list[EncounterPhi | None]:
        """The details in the same order; None where they open no more."""
        ...

    def link_control_numbers(self, key_ids: Mapping[str, UUID]) -> None:
        """Answers that name these patient control numbers will be sealed under these keys. Repeating it changes nothing."""
        ...
