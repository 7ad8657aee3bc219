"""Who announces what, who reacts to what, and which account stands for what: the contracts that are checked against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from throughline.checker.amounts import cents
from throughline.checker.records import State

SERVICES: Final = ("intake", "claims", "payments", "ledger", "reconciliation")
STREAMS: Final[Mapping[str, str]] = {service: f"BILLING_{service.upper()}" for service in SERVICES}

REACTS: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    "claims": {
        "intake": frozenset(
            {
                "encounter-charged",
                "charges-revised",
                "acknowledgement-received",
                "claim-status-received",
                "claim-status-reported",
                "platform-balance-reported",
                "patients-merged",
                "patients-unmerged",
            }
        ),
        "payments": frozenset({"remittance-chunk-accepted"}),
    },
    "payments": {
        "intake": frozenset(
            {
                "remittance-received",
                "remittance-chunk-received",
                "encounter-charged",
                "charges-revised",
                "patient-payment-reported",
                "visit-guarantor-changed",
                "patients-merged",
                "patients-unmerged",
            }
        ),
        "claims": frozenset({"claim-adjudicated"}),
    },
    "ledger": {
        "intake": frozenset({"encounter-charged", "charges-revised"}),
        "claims": frozenset(
            {
                "claim-adjudicated",
                "claim-revised",
                "claim-payment-unknown",
                "claim-payment-noted",
                "denial-released",
                "denial-written-off",
            }
        ),
        "payments": frozenset(
            {
                "remittance-accepted",
                "deposit-matched",
                "deposit-unidentified",
                "payer-overpayment-moved",
                "patient-payment-succeeded",
                "payment-applied",
                "patient-refund-moved",
                "patient-dispute-moved",
                "patient-payment-returned",
                "patient-balance-written-off",
                "patient-money-transferred",
                "price-concession-moved",
                "payout-paid",
            }
        ),
    },
    "reconciliation": {
        "ledger": frozenset({"journal-intended", "journal-confirmed", "journal-rejected"}),
        "payments": frozenset(
            {
                "remittance-accepted",
                "deposit-matched",
                "deposit-unidentified",
                "patient-payment-succeeded",
                "patient-refund-moved",
                "patient-dispute-moved",
                "patient-payment-returned",
                "payout-paid",
            }
        ),
    },
}
"""By consumer and upstream: the types whose every message must be in the consumer's inbox."""

KEPT: Final = frozenset().union(
    *(types for upstreams in REACTS.values() for types in upstreams.values()),
)
"""Types whose effects are followed, so that something of their messages is remembered."""

Announced = Callable[[State], list[str]]


def _one(event_type: str) -> Announced:
    return lambda state: [event_type]


ANNOUNCES: Final[Mapping[str, Mapping[str, Announced]]] = {
    "intake": {
        "intake.patient.registered": _one("patient-registered"),
        "intake.patient.merged": _one("patients-merged"),
        "intake.patient.unmerged": lambda state: ["patients-unmerged"] if state["was_merged"] else [],
        "intake.encounter.charged": _one("encounter-charged"),
        "intake.encounter.revised": _one("charges-revised"),
        "intake.encounter.guarantor-changed": _one("visit-guarantor-changed"),
        "intake.patient-payment.reported": _one("patient-payment-reported"),
        "intake.remittance-receipt.read": _one("remittance-received"),
        "intake.remittance-receipt.chunk-read": _one("remittance-chunk-received"),
        "intake.payer-answer.acknowledgement-read": _one("acknowledgement-received"),
        "intake.payer-answer.statuses-read": lambda state: ["claim-status-received"] * len(state["statuses"]),
        "intake.payer-answer.inquiry-answers-read": lambda state: ["claim-status-reported"] * len(state["statuses"]),
        "intake.payer-answer.balances-read": lambda state: ["platform-balance-reported"] * len(state["statuses"]),
        "chassis.inbound-message.quarantined": _one("message-quarantined"),
    },
    "claims": {
        "claims.claim.drafted": _one("claim-drafted"),
        "claims.claim.held": _one("claim-held"),
        "claims.claim.submitted": _one("claim-submitted"),
        "claims.claim.revision-taken": lambda state: ["claim-revised"] if state.get("sequence", 1) == 1 else [],
        "claims.claim.accepted": _one("claim-accepted"),
        "claims.claim.rejected": _one("claim-rejected"),
        "claims.claim.adjudicated": _one("claim-adjudicated"),
        "claims.claim.payment-noted": _one("claim-payment-noted"),
        "claims.claim.denial-released": _one("denial-released"),
        "claims.claim.denial-written-off": _one("denial-written-off"),
        "claims.unknown-claim-payment.recorded": _one("claim-payment-unknown"),
        "claims.unknown-claim-payment.noted": _one("claim-payment-noted"),
        "claims.interchange.sent": _one("interchange-sent"),
    },
    "payments": {
        "payments.remittance.accepted": _one("remittance-accepted"),
        "payments.remittance.refused": _one("remittance-refused"),
        "payments.remittance-chunk.accepted": _one("remittance-chunk-accepted"),
        "payments.remittance.deposit-matched": _one("deposit-matched"),
        "payments.deposit.unidentified": _one("deposit-unidentified"),
        "payments.payer-overpayment.identified": _one("payer-overpayment-moved"),
        "payments.payer-overpayment.moved": _one("payer-overpayment-moved"),
        "payments.provider-balance.moved": _one("provider-balance-moved"),
        "payments.payment.succeeded": _one("patient-payment-succeeded"),
        "payments.payment.matched": lambda state: ["payment-applied"] if cents(state["applied"]) else [],
        "payments.payment.refund-moved": _one("patient-refund-moved"),
        "payments.payment.dispute-moved": _one("patient-dispute-moved"),
        "payments.payment.returned": _one("patient-payment-returned"),
        "payments.patient-account.unapplied-applied": _one("payment-applied"),
        "payments.patient-account.written-off": _one("patient-balance-written-off"),
        "payments.patient-account.allowance-moved": _one("price-concession-moved"),
        "payments.account-transfer.made": _one("patient-money-transferred"),
        "payments.payout.composed": lambda state: ["payout-paid"] * len(state["shares"]),
        "payments.payout.returned": lambda state: ["payout-paid"] * len(state["shares"]),
    },
    "ledger": {
        "ledger.journal-entry.intended": _one("journal-intended"),
        "ledger.journal-entry.confirmed": _one("journal-confirmed"),
        "ledger.journal-entry.rejected": _one("journal-rejected"),
    },
    "reconciliation": {
        "reconciliation.break.opened": _one("break-opened"),
        "reconciliation.break.resolved": _one("break-resolved"),
        "reconciliation.break.written-off": _one("break-resolved"),
    },
}
"""By service and topic: the types of the public events that a stored event announces, in order."""

REWORDED: Final = frozenset(
    {
        ("claim-held", "reasons"),
        ("journal-rejected", "reason"),
        ("message-quarantined", "findings"),
        ("break-opened", "first_divergence"),
    }
)
"""Fields that a public event says in other words than the stored one of the same name."""

NESTED: Final = ("content", "decision", "acknowledgement", "place")
"""Parts of a stored event whose fields a public event has at its top."""

LISTED: Final[Mapping[str, str]] = {"claim-status-received": "statuses", "payout-paid": "shares"}
"""Types of which one stored event announces many: the list, in order, that they are made of."""

HEADERS: Final = (
    "Nats-Msg-Id",
    "ce-specversion",
    "ce-id",
    "ce-source",
    "ce-type",
    "ce-subject",
    "ce-time",
    "ce-datacontenttype",
    "ce-sequence",
    "ce-ordinal",
    "ce-position",
    "ce-correlationid",
    "ce-causationid",
    "ce-actor",
    "ce-phitier",
)
"""What every message must say of itself."""

CHART: Final[Mapping[str, str]] = {
    "cash": "1000",
    "eft-clearing": "1010",
    "gateway-clearing": "1020",
    "front-desk-clearing": "1030",
    "ar-payer": "1100",
    "ar-payer-denied": "1110",
    "ar-patient": "1120",
    "ar-allowance": "1190",
    "unapplied-patient": "2100",
    "unapplied-payer": "2110",
    "unidentified-receipts": "2120",
    "gross-revenue": "4000",
    "contractual-allowance": "4100",
    "processing-fees": "6100",
    "sequestration": "4110",
    "denial-write-off": "4120",
    "due-to-payer": "2130",
    "interest-income": "4200",
    "levies-withheld": "1200",
    "payer-withholds": "1210",
    "provider-adjustments": "4130",
    "refunds-payable": "2140",
    "refunds-payable-payer": "2150",
    "disputes-receivable": "1220",
    "dispute-fees": "6110",
    "charity-care": "4140",
    "small-balance": "4150",
    "bad-debt": "6200",
    "price-concession": "4160",
    "concession-allowance": "1195",
    "credit-balances": "2160",
}
"""The local ERP's account of each role, unless the evidence names others."""

PARTY_ACCOUNTS: Final = frozenset({"ar-payer", "ar-payer-denied", "ar-patient"})
CLEARING_ACCOUNTS: Final = frozenset(
    {
        "eft-clearing",
        "gateway-clearing",
        "front-desk-clearing",
        "unapplied-payer",
        "unapplied-patient",
        "unidentified-receipts",
        "due-to-payer",
        "interest-income",
        "levies-withheld",
        "payer-withholds",
        "provider-adjustments",
        "refunds-payable",
        "refunds-payable-payer",
        "disputes-receivable",
    }
)
