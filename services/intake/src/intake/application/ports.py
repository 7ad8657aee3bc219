"""What intake needs from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from canonical.master_data import MasterData, Payer, UnknownMasterData
from canonical.money import Money
from canonical.remittance import ClaimPayment, ProviderAdjustment

from intake.domain.facts import AdjustmentSeen, PatientPaymentSeen
from intake.domain.partner_answer import AnswerKind
from intake.domain.payer_answer import Acknowledgement, ClaimStatus, InquiryAnswer, ReportedBalance

MasterDataSource = Callable[[], MasterData]


@dataclass(frozen=True, slots=True)
class ClaimSpan:
    """Where one claim stands in a file, in bytes, and its patient control number."""

    start: int
    length: int
    patient_control_number: str


@dataclass(frozen=True, slots=True)
class InterchangeFound:
    """One interchange of a file. `digest` is over its content, whatever delimiters and line breaks it is written with.

    One that is not sound (cut off, or with a trailer that contradicts its header) may be another in part.
    """

    sender: str
    receiver: str
    control_number: str
    digest: bytes
    is_sound: bool


@dataclass(frozen=True, slots=True)
class RemittanceFound:
    """One 835 transaction set after it was read once: its head, its sums, and whether it is usable and balanced.

    `ordinal` counts the transaction sets of the file from 0, `interchange` its whole interchanges (-1: cut short). `findings` name segment position and rule.
    """

    ordinal: int
    usable: bool
    findings: tuple[str, ...]
    residual: Money | None
    payer_identifiers: tuple[str, ...]
    payee_npi: str
    trace_number: str
    payment: Money
    payment_method: str
    effective_date: date | None
    claim_count: int
    chunk_count: int
    total_charge: Money
    total_paid: Money
    total_provider_adjustments: Money
    content_hash: str
    provider_adjustments: tuple[ProviderAdjustment, ...]
    reversal_count: int
    interchange: int
    interchange_sender: str
    interchange_control_number: str


@dataclass(slots=True)
class Survey:
    """Everything but the claims of a file; `platform` sent it where a platform did, with `money` and `balances`. `refused` says why it cannot be read any further than what is here."""

    remittances: list[RemittanceFound] = field(default_factory=list)
    acknowledgements: list[tuple[int, Acknowledgement]] = field(default_factory=list)
    statuses: list[tuple[int, tuple[ClaimStatus, ...]]] = field(default_factory=list)
    inquiry_answers: list[tuple[int, tuple[InquiryAnswer, ...]]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    refused: str = ""
    interchanges: list[InterchangeFound] = field(default_factory=list)
    spans: list[ClaimSpan] = field(default_factory=list)
    platform: str = ""
    money: list[PatientPaymentSeen | AdjustmentSeen] = field(default_factory=list)
    balances: list[tuple[int, tuple[ReportedBalance, ...]]] = field(default_factory=list)


def payer_of(found: RemittanceFound, master_data: MasterData) -> Payer | None:
    """The payer whose remittance it is; None where master data knows none, or the remittance has no date."""
    if found.effective_date is None:
        return None
    for identifier in found.payer_identifiers:
        try:
            return master_data.payer_by_x12(identifier, found.effective_date)
        except UnknownMasterData:
            continue
    return None


class PayerFile(Protocol):
    """A file from a payer or clearinghouse, read in passes so that memory does not grow with it."""

    @property
    def source(self) -> str: ...

    @property
    def format(self) -> str: ...

    @property
    def delivery_key(self) -> str: ...

    @property
    def raw(self) -> bytes: ...

    def survey(self) -> Survey:
        """The first pass: balances every remittance, and finds the span of every claim."""
        ...

    def answer(self, interchange: int, kind: AnswerKind, number: int, now: datetime) -> bytes | None:
        """Our answer to one interchange that the survey saw, under a control number of ours.

        None where its header holds what no answer can repeat.
        """
        ...

    def parts(self, ordinal: int) -> Iterator[Sequence[ClaimPayment]]:
        """A later pass: the claims of one remittance, in as many parts as the survey counted."""
        ...
