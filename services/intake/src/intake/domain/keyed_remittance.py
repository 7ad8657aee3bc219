"""A remittance that came on paper or a payer's web page: one person keys it, another checks it, and then it is received."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import ClaimPayment, ProviderAdjustment
from chassis.domain import Aggregate, Conflict, Event, Refusal

CLAIMS_MAX = 200
REASON_CHARACTERS_MIN = 5


class KeyedFaulty(Refusal):
    """What was keyed does not add up, or names a payer or provider that nobody knows; the findings say where."""


class KeyedOtherwise(Conflict):
    """The same payer and trace number were keyed before, with other content; have that one turned down first."""


class CheckerIsMaker(Refusal):
    """Who keyed a remittance cannot check it."""


class CheckDiffers(Refusal):
    """The checker read another payment or another number of claims on the paper than was keyed."""


class KeyedDecided(Refusal):
    """It was checked or turned down before."""


class WhyTurnedDown(Refusal):
    """Turning down says why, in five characters at least."""


class KeyedState(StrEnum):
    KEYED = "keyed"
    CHECKED = "checked"
    RECEIVED = "received"
    TURNED_DOWN = "turned-down"


class KeyedContent(CanonicalModel):
    """What the paper says. `trace_number` is that of the transfer, or the number of the check in the lockbox.

    `payer` and `entity` are codes of master data; `payer_identifier` is TRN03 where the paper has it.
    """

    payer: Public[str]
    entity: Public[str]
    trace_number: Financial[str]
    payment_method: Financial[str]
    effective_date: Financial[date]
    payment: Money
    claims: tuple[ClaimPayment, ...]
    provider_adjustments: tuple[ProviderAdjustment, ...] = ()
    payer_identifier: Financial[str] = ""


def keyed_remittance_id(payer: str, trace_number: str, attempt: int = 0) -> UUID:
    """The remittance of a payer and trace number; keyed again after it was turned down it is another one."""
    return derive("keyed-remittance", payer, trace_number, attempt)


class KeyedRemittance(Aggregate):
    """Keyed → Checked → Received, or TurnedDown. Nothing of it goes on before a second person has read the paper too."""

    def start(self) -> None:
        self.state = KeyedState.KEYED
        self.content: KeyedContent | None = None
        self.maker = ""

    class Keyed(Event):
        TOPIC = "intake.keyed-remittance.keyed"
        content: KeyedContent

        def apply(self, keyed: KeyedRemittance) -> None:
            keyed.content = self.content
            keyed.maker = self.meta.actor

    class Checked(Event):
        """By whom is in its meta."""

        TOPIC = "intake.keyed-remittance.checked"
        payment: Money
        claim_count: int

        def apply(self, keyed: KeyedRemittance) -> None:
            keyed.state = KeyedState.CHECKED

    class TurnedDown(Event):
        TOPIC = "intake.keyed-remittance.turned-down"
        reason: Public[str]

        def apply(self, keyed: KeyedRemittance) -> None:
            keyed.state = KeyedState.TURNED_DOWN

    class Received(Event):
        """It went the way of every remittance, as this message; `findings` where it was held back there."""

        TOPIC = "intake.keyed-remittance.received"
        message_id: UUID
        findings: tuple[Public[str], ...] = ()

        def apply(self, keyed: KeyedRemittance) -> None:
            keyed.state = KeyedState.RECEIVED

    def key(self, content: KeyedContent) -> None:
        """Takes what was keyed; the same again changes nothing.

        Raises:
            KeyedOtherwise: keyed before with other content.
        """
        if self.exists and self.content != content:
            raise KeyedOtherwise(f"trace {content.trace_number} of {content.payer} is {self.state} with other content")
        if not self.exists:
            self.trigger_event(self.Keyed, content=content)

    def check(self, payment: Money, claim_count: int, checker: str) -> None:
        """A second person confirms what they read on the paper themselves.

        Raises:
            KeyedDecided, CheckerIsMaker, CheckDiffers: see there.
        """
        self._refuse_decided()
        assert self.content is not None, "what exists was keyed"
        if checker == self.maker:
            raise CheckerIsMaker(f"{checker} keyed trace {self.content.trace_number}, another person checks it")
        if (payment, claim_count) != (self.content.payment, len(self.content.claims)):
            keyed = f"{self.content.payment} for {len(self.content.claims)} claims"
            raise CheckDiffers(f"trace {self.content.trace_number}: keyed {keyed}, read {payment} for {claim_count}")
        self.trigger_event(self.Checked, payment=payment, claim_count=claim_count)

    def turn_down(self, reason: str) -> None:
        """
        Raises:
            KeyedDecided, WhyTurnedDown: see there.
        """
        self._refuse_decided()
        if len(reason.strip()) < REASON_CHARACTERS_MIN:
            raise WhyTurnedDown(f"a reason has at least {REASON_CHARACTERS_MIN} characters")
        self.trigger_event(self.TurnedDown, reason=reason)

    def receive(self, message_id: UUID, findings: Sequence[str]) -> None:
        """It has gone on, once."""
        if self.state is KeyedState.CHECKED:
            self.trigger_event(self.Received, message_id=message_id, findings=tuple(findings))

    def _refuse_decided(self) -> None:
        if self.state is not KeyedState.KEYED:
            raise KeyedDecided(f"the remittance is {self.state}")
