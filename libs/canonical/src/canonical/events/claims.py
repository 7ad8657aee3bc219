"""What claims announces: the life of a claim, and what an adjudication did to it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.codes import PayerClass
from canonical.envelope import PublicEvent
from canonical.money import Money
from canonical.remittance import ClaimAdjustment, DecisionPlace


class ClaimDrafted(PublicEvent):
    SERVICE = "claims"
    TYPE = "claim-drafted"

    claim_id: UUID
    encounter_id: UUID
    entity: Public[str]
    payer: Public[str]
    patient_id: UUID
    patient_control_number: Public[str]
    total: Money
    sequence: int = 1


class ClaimHeld(PublicEvent):
    """The claim may not go out; each reason names the edit and what is needed."""

    SERVICE = "claims"
    TYPE = "claim-held"

    claim_id: UUID
    reasons: tuple[Public[str], ...]


class ClaimSubmitted(PublicEvent):
    SERVICE = "claims"
    TYPE = "claim-submitted"

    claim_id: UUID
    interchange_id: UUID
    entity: Public[str]
    payer: Public[str]
    total: Money


class ClaimAccepted(PublicEvent):
    """The payer took the claim for adjudication (277CA)."""

    SERVICE = "claims"
    TYPE = "claim-accepted"

    claim_id: UUID
    payer_control_number: Financial[str] = ""


class ClaimRejected(PublicEvent):
    """The claim was refused before adjudication (999 or 277CA); it was never denied and is resubmitted as an original."""

    SERVICE = "claims"
    TYPE = "claim-rejected"

    claim_id: UUID
    codes: tuple[Public[str], ...]


class LineShare(CanonicalModel):
    """What one submitted line of a claim, counted from 1, leaves to the patient."""

    line: int
    amount: Money


class ClaimAdjudicated(PublicEvent):
    """One payer decision on a claim, as one remittance reports it.

    `charge - sum(adjustments) == paid`. `first` is true for the claim's first adjudication; `denied` when no money was
    paid and something was taken off that is neither on the payer's contractual list nor the patient's.
    `remittance_position` is the claim's ordinal in the remittance; `posting` is the encounter's posting of which the
    claim was made, so that its charges can be found.

    `kind` is `decision`, `reversal` (every amount negates the decision at `reverses_remittance_id` and
    `reverses_position`) or `correction` (takes the place of a reversed decision). `reverses_match` is the `match` of that
    decision as it stood. A reversal may negate several decisions together: the others are `reverses_also`. Where `partial`
    is true it takes only a part of them back, by its own amounts. `match` is 0 where the remittance
    brought the decision straight to the claim; from 1 on it counts the moves of a payment that was first booked as
    unapplied cash (J26) and then matched (`decision` or `reversal` as the payer sent it) or unmatched again (`unmatched`,
    every amount negated). What the patient would owe is owed by `next_payer` where there is one. `sequence` is 1
    for the primary payer. `overpaid` is what this payer has paid, after this decision, for charges that its decisions cover twice. `patient_lines` is what of the patient's responsibility is
    of which line, where the payer decided line by line.
    """

    SERVICE = "claims"
    TYPE = "claim-adjudicated"

    claim_id: UUID
    encounter_id: UUID
    posting: int
    patient_id: UUID
    entity: Public[str]
    payer: Public[str]
    payer_class: PayerClass
    remittance_id: UUID
    remittance_position: int
    effective_date: Financial[date]
    first: bool
    denied: bool
    charge: Money
    paid: Money
    patient_responsibility: Money
    adjustments: tuple[ClaimAdjustment, ...]
    service_from: Financial[date]
    kind: Public[str] = "decision"
    payer_status: Financial[str] = ""
    reverses_remittance_id: UUID | None = None
    reverses_position: int = -1
    match: int = 0
    next_payer: Public[str] = ""
    next_payer_class: PayerClass | None = None
    sequence: int = 1
    charges_revision: int = 0
    reverses_match: int = 0
    reverses_also: tuple[DecisionPlace, ...] = ()
    partial: bool = False
    overpaid: Money = Money(0)
    patient_lines: tuple[LineShare, ...] = ()


class ClaimRevised(PublicEvent):
    """A first payer's claim took a revision of its charges (`revision` of `charges-revised`).

    `decided` says that a payer had decided on it before, so that its expected allowance had been released; the payer's
    decisions on it stand until they are taken back. `charges_revision` of later decisions is this revision.
    """

    SERVICE = "claims"
    TYPE = "claim-revised"

    claim_id: UUID
    encounter_id: UUID
    posting: int
    patient_id: UUID
    entity: Public[str]
    payer: Public[str]
    payer_class: PayerClass
    revision: int
    total: Money
    decided: bool
    effective_date: Financial[date]


class ClaimPaymentNoted(PublicEvent):
    """A remittance tells something of a claim that moves no account.

    `why` is `predetermination` (CLP02 25) or `forwarded` (CLP02 23: not this payer's claim, passed on).
    """

    SERVICE = "claims"
    TYPE = "claim-payment-noted"

    remittance_id: UUID
    remittance_position: int
    claim_id: UUID | None
    entity: Public[str]
    payer: Public[str]
    effective_date: Financial[date]
    why: Public[str]


class DenialReleased(PublicEvent):
    """What was denied is no longer: a later decision covers the same charges, and no reversal took the denial back.

    `amount` moves from denied back to open receivable (negative: the other way); `release` counts them per claim from 1.
    """

    SERVICE = "claims"
    TYPE = "denial-released"

    claim_id: UUID
    release: int
    encounter_id: UUID
    posting: int
    patient_id: UUID
    entity: Public[str]
    payer: Public[str]
    payer_class: PayerClass
    amount: Money
    effective_date: Financial[date]


class DenialWrittenOff(PublicEvent):
    """A denied amount was given up: by a person with another's approval, or by the payer's allow-list (`approved_by`)."""

    SERVICE = "claims"
    TYPE = "denial-written-off"

    claim_id: UUID
    write_off: int
    encounter_id: UUID
    posting: int
    patient_id: UUID
    entity: Public[str]
    payer: Public[str]
    payer_class: PayerClass
    amount: Money
    reason: Public[str]
    approved_by: Public[str]
    effective_date: Financial[date]


class ClaimPaymentUnknown(PublicEvent):
    """A remittance's claim payment that cannot be booked to a claim; its cash stays visible as unapplied.

    `why` is `unknown-control-number`, `never-submitted`, `other-entity`, `other-payer`, `status-moves-no-money` (CLP02 23 or
    25 with a payment), or what is wrong with a reversal: `reversal-unknown-original`, `reversal-wrong-sign`, `reversal-wrong-group`, `reversal-missing-adjustments`,
    `reversal-4010-style`, `reversal-differs`.
    """

    SERVICE = "claims"
    TYPE = "claim-payment-unknown"

    remittance_id: UUID
    remittance_position: int
    entity: Public[str]
    payer: Public[str]
    paid: Money
    effective_date: Financial[date]
    why: Public[str] = ""


class InterchangeSent(PublicEvent):
    SERVICE = "claims"
    TYPE = "interchange-sent"

    interchange_id: UUID
    control_number: Public[str]
    entity: Public[str]
    payer: Public[str]
    claim_count: int
    total: Money
