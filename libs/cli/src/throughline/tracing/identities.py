"""The ids that the ledger derives from facts, derived again here, so that an auditor's trace trusts no look-up table."""

from __future__ import annotations

from canonical.ids import derive


def charge_posting(encounter_id: str, number: int) -> str:
    """The subledger posting of one posting of an encounter's charges."""
    return str(derive("posting", "charges", encounter_id, number))


def deposit_posting(deposit_id: str, remittance_id: str) -> str:
    return str(derive("posting", "deposit", deposit_id, remittance_id))


def payment_posting(payment_id: str) -> str:
    return str(derive("posting", "patient-payment", payment_id))


def application_posting(payment_id: str, application: int) -> str:
    return str(derive("posting", "application", payment_id, application))


def payout_share(payout_id: str, entity: str) -> str:
    """What of a payout belongs to one entity."""
    return str(derive("payout-share", payout_id, entity))


def returned_share(payout_id: str, entity: str) -> str:
    """What came back of one entity's share of a payout."""
    return str(derive("payout-share-returned", payout_id, entity))


def payout_posting(share_id: str, entity: str) -> str:
    return str(derive("posting", "payout", share_id, entity))


def match_posting(remittance_id: str, position: int, match: int) -> str:
    """The subledger posting of one of the matches of a claim payment."""
    return str(derive("posting", "claim-match", remittance_id, position, match))


def denial_posting(kind: str, claim_id: str, number: int) -> str:
    """The subledger posting of the release (`denial-release`) or write-off (`denial-write-off`) of a claim's denial."""
    return str(derive("posting", kind, claim_id, number))


def single_posting(kind: str, *parts: str) -> str:
    """The subledger posting of a fact that is a journal entry by itself, a refund's step say."""
    return str(derive("posting", kind, *parts))


def journal(kind: str, group_id: str, ordinal: int = 1) -> str:
    """The journal entry of a group; charges have one for each batch of a day."""
    return str(derive("journal", kind, group_id, ordinal))
