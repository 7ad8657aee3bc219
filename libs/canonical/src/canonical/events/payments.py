"""What payments announces: remittances accepted or not, deposits, patient payments, payouts."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.envelope import PublicEvent
from canonical.money import Money
from canonical.remittance import ClaimPayment, RemittanceSummary


class RemittanceAccepted(PublicEvent):
    """The manifest of an accepted remittance: what its chunks must count and add up to before anything is posted."""

    SERVICE = "payments"
    TYPE = "remittance-accepted"

    summary: RemittanceSummary


class ProviderBalanceMoved(PublicEvent):
    """One provider-level adjustment as the open items of a payer and provider see it.

    `adjustment` is its ordinal in the remittance, from 0; a positive `amount` lowered the payment. `item_id` is the
    item it opened or settled, empty where nothing was open; `open_amount` is what the payer still holds or is owed
    of all items after it, below zero where it is owed to the payer.
    """

    SERVICE = "payments"
    TYPE = "provider-balance-moved"

    balance_id: UUID
    remittance_id: UUID
    adjustment: int
    entity: Public[str]
    payer: Public[str]
    provider: Public[str]
    reason: Financial[str]
    reference: Financial[str] = ""
    amount: Money
    item_id: UUID | None = None
    open_amount: Money
    effective_date: Financial[date]


class RemittanceChunkAccepted(PublicEvent):
    SERVICE = "payments"
    TYPE = "remittance-chunk-accepted"

    remittance_id: UUID
    chunk: int
    entity: Public[str]
    payer: Public[str]
    effective_date: Financial[date]
    claims: tuple[ClaimPayment, ...]


class RemittanceRefused(PublicEvent):
    """Not posted: a `duplicate` of one already accepted, `conflicting` with one, or `unsupported`."""

    SERVICE = "payments"
    TYPE = "remittance-refused"

    remittance_id: UUID
    reason: Public[str]
    first_message_id: UUID | None = None
    message_id: UUID


class DepositMatched(PublicEvent):
    """A bank deposit, or this part of it, is the money of an accepted remittance, or a part of that.

    One for each deposit of a remittance, and together its payment. `was_unidentified`: the deposit had been announced as
    `deposit-unidentified` before.
    """

    SERVICE = "payments"
    TYPE = "deposit-matched"

    deposit_id: UUID
    remittance_id: UUID
    entity: Public[str]
    amount: Money
    effective_date: Financial[date]
    was_unidentified: bool = False


class DepositUnidentified(PublicEvent):
    """Nothing explained a bank deposit within the time allowed; `deposit-matched` may still follow."""

    SERVICE = "payments"
    TYPE = "deposit-unidentified"

    deposit_id: UUID
    entity: Public[str]
    amount: Money
    effective_date: Financial[date]


class PayerOverpaymentMoved(PublicEvent):
    """What a payer paid too much moves the books.

    `step`: `identified` (owed back to the payer, out of its receivable), `returned` by check or transfer, `recouped` by the
    payer out of another payment, `withdrawn` (the receivable says it by itself, or it was none). `move_id` is the step's
    own; `amount` is what this step moves.
    """

    SERVICE = "payments"
    TYPE = "payer-overpayment-moved"

    overpayment_id: UUID
    move_id: UUID
    step: Public[str]
    entity: Public[str]
    payer: Public[str]
    amount: Money
    effective_date: Financial[date]


class PatientPaymentSucceeded(PublicEvent):
    """Money of a patient arrived; `patient_id` is empty where nobody could be matched.

    `channel` is where: at the `gateway`, or at the source's `front-desk`, which holds it until it is banked.
    """

    SERVICE = "payments"
    TYPE = "patient-payment-succeeded"

    payment_id: UUID
    entity: Public[str]
    patient_id: UUID | None
    applied: Money
    unapplied: Money
    effective_date: Financial[date]
    channel: Public[str] = "gateway"


class PaymentApplied(PublicEvent):
    """Cash that was unapplied now pays a patient's balance; below zero it stands unapplied again."""

    SERVICE = "payments"
    TYPE = "payment-applied"

    payment_id: UUID
    application: int
    entity: Public[str]
    patient_id: UUID
    amount: Money
    effective_date: Financial[date]


class PatientRefundMoved(PublicEvent):
    """A refund of a patient's payment moves the books.

    `step`: `approved` (owed to the patient, out of unapplied cash), `paid` by the gateway, `failed` (the money came back
    there and is still owed), `cancelled` (no longer owed; the cash is the patient's again).
    """

    SERVICE = "payments"
    TYPE = "patient-refund-moved"

    refund_id: UUID
    payment_id: UUID
    step: Public[str]
    entity: Public[str]
    patient_id: UUID | None
    amount: Money
    channel: Public[str] = "gateway"
    effective_date: Financial[date]


class PatientDisputeMoved(PublicEvent):
    """A dispute of a patient's payment moves the books.

    `step`: `withdrawn` (the gateway took amount and fee), `won` (it gave the amount back), `lost` (it keeps it, and the
    patient's cash is that much less), `recovered` (what was lost is not).
    """

    SERVICE = "payments"
    TYPE = "patient-dispute-moved"

    dispute_id: UUID
    payment_id: UUID
    step: Public[str]
    entity: Public[str]
    patient_id: UUID | None
    amount: Money
    fee: Money
    effective_date: Financial[date]


class PatientPaymentReturned(PublicEvent):
    """The payer's bank took a payment back after it had succeeded; the patient's cash is that much less."""

    SERVICE = "payments"
    TYPE = "patient-payment-returned"

    return_id: UUID
    payment_id: UUID
    entity: Public[str]
    patient_id: UUID | None
    amount: Money
    effective_date: Financial[date]


class PatientBalanceWrittenOff(PublicEvent):
    """What a patient owes is given up as `charity`, `small-balance`, `bad-debt` or `price-concession`; below zero it is owed again."""

    SERVICE = "payments"
    TYPE = "patient-balance-written-off"

    write_off_id: UUID
    account_id: UUID
    entity: Public[str]
    patient_id: UUID
    encounter_id: UUID
    kind: Public[str]
    amount: Money
    effective_date: Financial[date]


class PriceConcessionMoved(PublicEvent):
    """More of what a patient owes is not expected to be paid, as its portfolio has shown; less, below zero, once it was paid or
    given up. `move` counts those of an account."""

    SERVICE = "payments"
    TYPE = "price-concession-moved"

    account_id: UUID
    move: int
    entity: Public[str]
    patient_id: UUID
    encounter_id: UUID
    portfolio: Public[str]
    amount: Money
    effective_date: Financial[date]


class PatientMoneyTransferred(PublicEvent):
    """A person moved unapplied `cash`, or a `share` of what is owed, from one patient's account to another's."""

    SERVICE = "payments"
    TYPE = "patient-money-transferred"

    transfer_id: UUID
    moved: Public[str]
    entity: Public[str]
    from_patient_id: UUID
    to_patient_id: UUID
    amount: Money
    effective_date: Financial[date]


class PayoutPaid(PublicEvent):
    """The gateway paid out: `gross - fees == net`, and net is what reaches the bank; below zero it came back from there."""

    SERVICE = "payments"
    TYPE = "payout-paid"

    payout_id: UUID
    entity: Public[str]
    gross: Money
    fees: Money
    net: Money
    effective_date: Financial[date]
