"""What the ledger adapter does when another service announces a financial fact: it drafts the fact's posting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from canonical.envelope import Envelope
from canonical.events.claims import (
    ClaimAdjudicated,
    ClaimPaymentNoted,
    ClaimPaymentUnknown,
    ClaimRevised,
    DenialReleased,
    DenialWrittenOff,
)
from canonical.events.intake import ChargesRevised, EncounterCharged
from canonical.events.payments import (
    DepositMatched,
    DepositUnidentified,
    PatientPaymentSucceeded,
    PaymentApplied,
    PayoutPaid,
    RemittanceAccepted,
)
from canonical.journal import LedgerLine
from canonical.master_data import KnownMasterData
from canonical.money import Money
from canonical.remittance import DecisionPlace
from chassis.domain import NotYet, Refusal
from chassis.eventstore import Work
from chassis.messaging.reactions import Reaction

from ledger_adapter.application import single_entries as single
from ledger_adapter.application.charging import Charging, ids_of_revised_claim, ids_of_revision, posted
from ledger_adapter.application.patient_entries import PATIENT_REACTIONS
from ledger_adapter.application.payer_entries import PAYER_REACTIONS
from ledger_adapter.application.single_entries import intend_single, posting_of
from ledger_adapter.domain.fact_lines import (
    REVERSAL,
    UNMATCHED,
    lines_for_adjudication,
    lines_for_provider_adjustment,
    lines_for_unknown_claim,
    lines_that_take_back,
)
from ledger_adapter.domain.manifest import RemittanceManifest, manifest_id
from ledger_adapter.domain.posting_rules import RULES_VERSION
from ledger_adapter.domain.site_rules import NO_SITE_RULES, SiteRules
from ledger_adapter.domain.subledger import (
    NO_CASH,
    GroupKind,
    SubledgerPosting,
    charge_posting_id,
    claim_payment_posting_id,
    provider_adjustment_posting_id,
)

ClaimPayment = ClaimAdjudicated | ClaimPaymentUnknown | ClaimPaymentNoted


class WrongEntity(Refusal):
    """A claim was adjudicated for another entity than the one that charged it."""


@dataclass(frozen=True)
class Drafting:
    """Drafts the postings of payers' decisions by the rules and by master data of the service date."""

    charging: Charging
    site_rules: SiteRules

    def when_claim_adjudicated_draft_posting(self, work: Work, event: ClaimAdjudicated, envelope: Envelope) -> None:
        """J04 to J09 and J11; it waits for the posting of the charges, whose estimate it may have to release.

        A payment that was matched later is no part of its remittance's entry any more, and an entry by itself.
        """
        rules = self.site_rules.version
        if event.match:
            intend_single(work, event, envelope, single.of_match(event), lambda: self._decided(work, event), rules)
            return
        _draft_claim_payment(
            work,
            event,
            envelope,
            cash=event.paid,
            lines_of=lambda: self._decided(work, event),
            rules_version=rules,
        )

    def _decided(self, work: Work, event: ClaimAdjudicated) -> tuple[LedgerLine, ...]:
        originals = _originals(work, event)
        charges = posted(work, _charges_id(event))
        if charges.entity != event.entity:
            raise WrongEntity(f"claim {event.claim_id}: charged by {charges.entity}, adjudicated for {event.entity}")
        decided = [line for each in originals for line in each.decided]
        if decided and all(each.claim_id for each in originals if each.decided):
            return lines_that_take_back(event, decided)
        reasons = self.charging.payer(event.payer, event.service_from).contractual_reasons
        return lines_for_adjudication(event, charges.estimate, reasons, charges.place, self.site_rules)


def _originals(work: Work, event: ClaimAdjudicated) -> list[SubledgerPosting]:
    """The postings that this event takes back; it waits for them.

    A payment that had to be matched stands elsewhere than its J26; events of old do not say that it was.
    """
    originals = []
    for identity in _original_ids(event):
        original = work.get(SubledgerPosting, identity)
        if original is None:
            raise NotYet(identity, "what this takes back has not been posted yet")
        originals.append(original)
    return originals


def _original_ids(event: ClaimAdjudicated) -> tuple[UUID, ...]:
    """None of a reversal of a part: how the parts of a posting divide is not to be read from its sums."""
    if event.kind == UNMATCHED:
        return (single.match_posting_id(event.remittance_id, event.remittance_position, event.match - 1),)
    if event.kind != REVERSAL or event.reverses_remittance_id is None or event.partial:
        return ()
    first = DecisionPlace.trusted(
        remittance_id=event.reverses_remittance_id, position=event.reverses_position, match=event.reverses_match
    )
    return tuple(_posting_at(place) for place in (first, *event.reverses_also))


def _posting_at(place: DecisionPlace) -> UUID:
    if place.match:
        return single.match_posting_id(place.remittance_id, place.position, place.match)
    return claim_payment_posting_id(place.remittance_id, place.position)


def when_claim_payment_unknown_draft_posting(work: Work, event: ClaimPaymentUnknown, envelope: Envelope) -> None:
    """J26: counts towards its remittance like any other claim payment."""
    _draft_claim_payment(work, event, envelope, cash=event.paid, lines_of=lambda: lines_for_unknown_claim(event))


def when_claim_payment_noted_draft_posting(work: Work, event: ClaimPaymentNoted, envelope: Envelope) -> None:
    """A posting without lines: it moves no account, and its remittance is not whole without it."""
    _draft_claim_payment(work, event, envelope, cash=NO_CASH, lines_of=lambda: ())


def _draft_claim_payment(
    work: Work,
    event: ClaimPayment,
    envelope: Envelope,
    *,
    cash: Money,
    lines_of: Callable[[], tuple[LedgerLine, ...]],
    rules_version: str = RULES_VERSION,
) -> None:
    """The posting of one claim payment of a remittance, which its manifest counts."""
    posting, content = posting_of(work, _claim_payment_posting(event), event)
    if posting.exists:
        return
    posting.draft(
        group_kind=GroupKind.REMITTANCE,
        group_id=event.remittance_id,
        item_id=event.remittance_id,
        remittance_position=event.remittance_position,
        entity=event.entity,
        effective_date=event.effective_date,
        cash=cash,
        lines=lines_of(),
        source_event_id=envelope.id,
        content_hash=content,
        rules_version=rules_version,
    )


def when_remittance_accepted_expect_its_postings(work: Work, event: RemittanceAccepted, envelope: Envelope) -> None:
    """Keeps the manifest, and drafts J12 and J13 of its provider-level adjustments; a code without a rule leaves it all
    to a person. The journal entry is drafted when exactly its postings are here."""
    summary = event.summary
    work.get_or_new(RemittanceManifest, manifest_id(summary.remittance_id)).expect(summary)
    for ordinal, adjustment in enumerate(summary.provider_adjustments):
        posting, content = posting_of(work, _adjustment_posting(event, ordinal), adjustment)
        if posting.exists:
            continue
        posting.draft(
            group_kind=GroupKind.REMITTANCE,
            group_id=summary.remittance_id,
            item_id=summary.remittance_id,
            adjustment=ordinal,
            entity=summary.entity,
            effective_date=summary.effective_date,
            cash=-adjustment.amount,
            lines=lines_for_provider_adjustment(adjustment, summary),
            source_event_id=envelope.id,
            content_hash=content,
        )


def _claim_payment_posting(event: ClaimPayment) -> UUID:
    return claim_payment_posting_id(event.remittance_id, event.remittance_position)


def _adjustment_posting(event: RemittanceAccepted, ordinal: int) -> UUID:
    return provider_adjustment_posting_id(event.summary.remittance_id, ordinal)


def _ids_of_decision(event: ClaimAdjudicated) -> tuple[UUID, ...]:
    own = single.of_match(event).ids if event.match else (_claim_payment_posting(event),)
    return (*own, _charges_id(event), *_original_ids(event))


def _charges_id(event: ClaimAdjudicated) -> UUID:
    """The posting of the charges as the claim knew them when it was decided on."""
    return charge_posting_id(event.encounter_id, event.posting, event.charges_revision)


def _ids_of_remittance(event: RemittanceAccepted) -> tuple[UUID, ...]:
    ordinals = range(len(event.summary.provider_adjustments))
    postings = (_adjustment_posting(event, ordinal) for ordinal in ordinals)
    return (manifest_id(event.summary.remittance_id), *postings)


def _reactions_to_claims(charging: Charging, drafting: Drafting) -> tuple[Reaction[Any], ...]:
    return (
        Reaction(ClaimAdjudicated, drafting.when_claim_adjudicated_draft_posting, _ids_of_decision),
        Reaction(ClaimRevised, charging.when_claim_revised_release_estimate, ids_of_revised_claim),
        Reaction(
            ClaimPaymentUnknown,
            when_claim_payment_unknown_draft_posting,
            lambda event: (_claim_payment_posting(event),),
        ),
        Reaction(
            ClaimPaymentNoted,
            when_claim_payment_noted_draft_posting,
            lambda event: (_claim_payment_posting(event),),
        ),
        Reaction(DenialReleased, single.when_denial_released_intend_entry, lambda event: single.of_release(event).ids),
        Reaction(
            DenialWrittenOff,
            single.when_denial_written_off_intend_entry,
            lambda event: single.of_write_off(event).ids,
        ),
    )


def reactions_by_upstream(
    master: KnownMasterData, site_rules: SiteRules = NO_SITE_RULES
) -> Mapping[str, tuple[Reaction[Any], ...]]:
    """Everything this service reacts to, by the service that announces it."""
    charging = Charging(master)
    drafting = Drafting(charging, site_rules)
    return {
        "intake": (
            Reaction(
                EncounterCharged,
                charging.when_encounter_charged_draft_posting,
                lambda event: (charge_posting_id(event.encounter_id, event.posting),),
            ),
            Reaction(ChargesRevised, charging.when_charges_revised_mirror_and_draft, ids_of_revision),
        ),
        "claims": _reactions_to_claims(charging, drafting),
        "payments": (
            Reaction(RemittanceAccepted, when_remittance_accepted_expect_its_postings, _ids_of_remittance),
            Reaction(
                DepositMatched, single.when_deposit_matched_intend_entry, lambda event: single.of_deposit(event).ids
            ),
            Reaction(
                DepositUnidentified,
                single.when_deposit_unidentified_intend_entry,
                lambda event: single.of_unidentified(event).ids,
            ),
            Reaction(
                PatientPaymentSucceeded,
                single.when_patient_payment_succeeded_intend_entry,
                lambda event: single.of_payment(event).ids,
            ),
            Reaction(
                PaymentApplied,
                single.when_payment_applied_intend_entry,
                lambda event: single.of_application(event).ids,
            ),
            Reaction(PayoutPaid, single.when_payout_paid_intend_entry, lambda event: single.of_payout(event).ids),
            *PATIENT_REACTIONS,
            *PAYER_REACTIONS,
        ),
    }
