"""M2: what payers and patients owe, recomputed from what was announced, is what the ledger's receivables say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from throughline.checker.amounts import cents, shown
from throughline.checker.expected import (
    PATIENT_CASH,
    by_decision,
    by_dispute,
    by_overpayment,
    by_refund,
    by_release,
    by_return,
    by_write_off,
)
from throughline.checker.invariants.bookings import denied_by_message
from throughline.checker.invariants.effects import left_to_patients
from throughline.checker.records import Published
from throughline.checker.result import Failures, Result, judged, skipped
from throughline.checker.world import World

NAME, TITLE = "M2", "Receivables are charges less payments less adjustments"
PAYER_ACCOUNTS = ("ar-payer", "ar-payer-denied")
ACCOUNTS = (*PAYER_ACCOUNTS, "ar-patient", "unapplied-patient")

Place = tuple[str, str, str]
"""Entity, account and party."""


def receivables_agree(world: World) -> Result:
    """M2: per entity and party. What waits for a person at the ledger is booked nowhere, and counts nowhere."""
    if any(world.stream(service).trimmed for service in ("intake", "claims", "payments")):
        return skipped(NAME, TITLE, "the streams no longer keep their oldest messages")
    failures = Failures()
    facts = _sums([*_payers(world), *_patients(world)])
    ledger = ledger_sums(world, ACCOUNTS)
    for place in sorted(facts.keys() | ledger.keys()):
        left, right = facts.get(place, 0), ledger.get(place, 0)
        if left != right:
            failures.add(f"{' '.join(place).strip()}: {shown(left)} by the facts, {shown(right)} in the ledger")
    failures.extend(_cash_of_patients(world))
    value: dict[str, object] = {account: shown(_of(facts, account)) for account in ACCOUNTS}
    value["payers"] = {
        f"{entity} {party}": shown(amount) for (entity, account, party), amount in sorted(facts.items())
        if account == "ar-payer"
    }  # fmt: skip
    return judged(NAME, TITLE, failures, **value)


def ledger_sums(world: World, accounts: Iterable[str]) -> Mapping[Place, int]:
    """What the postings add up to, by entity, account and party; nothing that is zero."""
    wanted = set(accounts)
    return _sums(
        ((posting.entity, account, party), amount)
        for posting in world.ledger.postings.values()
        for (account, party), amount in posting.sums.items()
        if account in wanted
    )


def booked(world: World, service: str, event_type: str) -> Iterable[Published]:
    """The messages of one type that the ledger has booked."""
    waiting = world.unbooked()
    return (message for message in world.messages(service, event_type) if message.id not in waiting)


def _payers(world: World) -> Iterable[tuple[Place, int]]:
    """Charges by the claims made of them (as intake said them where there is no claim), what decisions took off or left
    to the next payer, and what became of denials."""
    for message in booked(world, "intake", "encounter-charged"):
        facts = message.data
        if facts["payer"]:
            claims = world.claims.drafted.get((facts["encounter_id"], facts["posting"]), [])
            total = next((claim.total for claim in claims if claim.sequence == 1), cents(facts["total"]))
            yield (facts["entity"], "ar-payer", facts["payer"]), total
    for message in booked(world, "intake", "charges-revised"):
        facts = message.data
        if facts["payer"]:
            difference = cents(facts["total"]) - cents(facts["previous_total"])
            yield (facts["entity"], "ar-payer", facts["payer"]), difference
    denied = denied_by_message(world)
    for message in booked(world, "claims", "claim-adjudicated"):
        for (account, party), amount in by_decision(message.data, denied.get(message.id, 0)).items():
            if account in PAYER_ACCOUNTS:
                yield (message.data["entity"], account, party), amount
    for service, event_type, formula in (
        ("claims", "denial-released", by_release),
        ("claims", "denial-written-off", by_write_off),
        ("payments", "payer-overpayment-moved", by_overpayment),
    ):
        for message in booked(world, service, event_type):
            for (account, party), amount in formula(message.data).items():
                if account in PAYER_ACCOUNTS:
                    yield (message.data["entity"], account, party), amount


def _patients(world: World) -> Iterable[tuple[Place, int]]:
    """All patients of an entity owe under one party; cash beyond what is owed is not applied."""
    waiting = world.unbooked()
    for message, _, amount in left_to_patients(world):
        entity = message.data["entity"]
        if message.id not in waiting:
            yield (entity, "ar-patient", f"PATIENTS-{entity}"), amount
    for entity, applied, unapplied in _cash(world, booked_only=True):
        yield (entity, "ar-patient", f"PATIENTS-{entity}"), -applied
        yield (entity, "unapplied-patient", ""), -unapplied
    for message in booked(world, "payments", "patient-balance-written-off"):
        entity = message.data["entity"]
        yield (entity, "ar-patient", f"PATIENTS-{entity}"), -cents(message.data["amount"])


def _cash(world: World, *, booked_only: bool) -> Iterable[tuple[str, int, int]]:
    """Entity, cash applied and cash left unapplied, of each message about patients' money."""
    waiting = world.unbooked() if booked_only else set()
    for message in world.messages("payments", "patient-payment-succeeded"):
        if message.id not in waiting:
            facts = message.data
            yield facts["entity"], cents(facts["applied"]), cents(facts["unapplied"])
    for message in world.messages("payments", "payment-applied"):
        if message.id not in waiting:
            amount = cents(message.data["amount"])
            yield message.data["entity"], amount, -amount
    for event_type, formula in (
        ("patient-refund-moved", by_refund),
        ("patient-dispute-moved", by_dispute),
        ("patient-payment-returned", by_return),
    ):
        for message in world.messages("payments", event_type):
            if message.id not in waiting:
                yield message.data["entity"], 0, -formula(message.data).get(PATIENT_CASH, 0)


def _cash_of_patients(world: World) -> Iterable[str]:
    """What was announced of patients' cash is on their accounts, or waits unmatched."""
    announced: dict[str, list[int]] = {}
    for entity, applied, unapplied in _cash(world, booked_only=False):
        sums = announced.setdefault(entity, [0, 0])
        sums[0] += applied
        sums[1] += unapplied
    accounts = {entity: list(sums) for entity, sums in world.payments.patients.cash_on_accounts.items()}
    for entity, amount in world.payments.patients.unmatched.values():
        accounts.setdefault(entity, [0, 0])[1] += amount
    for entity in sorted(announced.keys() | accounts.keys()):
        left, right = announced.get(entity, [0, 0]), accounts.get(entity, [0, 0])
        if left != right and not world.stream("payments").unpublished:
            said = f"{shown(left[0])} applied, {shown(left[1])} unapplied"
            yield f"{entity}: {said} as announced; {shown(right[0])} and {shown(right[1])} on the accounts"


def _sums(amounts: Iterable[tuple[Place, int]]) -> dict[Place, int]:
    sums: dict[Place, int] = {}
    for place, amount in amounts:
        sums[place] = sums.get(place, 0) + amount
    return {place: amount for place, amount in sums.items() if amount}


def _of(sums: Mapping[Place, int], account: str) -> int:
    return sum(amount for place, amount in sums.items() if place[1] == account)
