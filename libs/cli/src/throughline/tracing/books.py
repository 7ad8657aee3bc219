"""What tracing asks of the services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from throughline.connection import Service
from throughline.operations.cases import Case
from throughline.tracing.records import Claim, Decision, Encounter, ErpAnswer, Journal, Message, Remittance

State = Mapping[str, object]


class Books(Protocol):
    """Every answer is None or empty where there is nothing of that id; a service that is down raises Unreachable."""

    def journal(self, reference: str) -> Journal | None:
        """By its id, or by our number at the ERP."""
        ...

    def journal_of_document(self, erp_document: str) -> Journal | None:
        """By the ERP's own name for it."""
        ...

    def erp_document(self, journal: Journal) -> ErpAnswer: ...

    def claim(self, claim_id: str) -> tuple[Claim, Sequence[Decision]] | None: ...

    def claims_numbered(self, control_number: str) -> Sequence[Claim]: ...

    def claims_of_encounter(self, encounter_id: str) -> Sequence[Claim]: ...

    def decision(self, remittance_id: str, position: int) -> Decision | None: ...

    def unknown_payment(self, remittance_id: str, position: int) -> Decision | None:
        """A claim payment as it came, before anybody matched it with a claim."""
        ...

    def remittance(self, remittance_id: str) -> Remittance | None: ...

    def encounter(self, encounter_id: str) -> Encounter | None: ...

    def encounters_of_message(self, message_id: str) -> Sequence[Encounter]: ...

    def remittances_of_message(self, message_id: str) -> Sequence[str]: ...

    def money_of_message(self, message_id: str) -> Sequence[str]:
        """The payments and deposits that a message of gateway or bank told of."""
        ...

    def message(self, service: Service, message_id: str) -> Message | None: ...

    def payouts(self) -> Sequence[str]: ...

    def payment_of(self, identity: str) -> str:
        """The payment that a refund or dispute is of; empty where there is none."""
        ...

    def account_of(self, identity: str) -> str:
        """The account that a write-off, payment or adjudication has a line on; empty where there is none."""
        ...

    def transfer_of(self, identity: str) -> str:
        """The transfer that brought cash of this id to its account; empty where none did."""
        ...

    def events(self, service: Service, aggregate_id: str) -> Sequence[tuple[str, State]]:
        """Topic and state of the stored events of an aggregate."""
        ...

    def case(self, case_id: str) -> Case | None:
        """An exception of any service."""
        ...

    def raw(self, message: Message, start: int, length: int) -> bytes:
        """
        Raises:
            Refused: our token may not read raw messages, or the service keeping them does not show them.
        """
        ...
