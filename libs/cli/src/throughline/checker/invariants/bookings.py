"""A part of I2: each posting holds exactly the lines that its fact must book, to the account, the party and the cent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from throughline.checker.amounts import shown
from throughline.checker.books.ledger import Posting
from throughline.checker.expected import (
    ESTIMATE,
    Sums,
    added,
    by_application,
    by_charges,
    by_decision,
    by_deposit,
    by_dispute,
    by_estimate_release,
    by_note,
    by_overpayment,
    by_patient_payment,
    by_patient_write_off,
    by_payout,
    by_price_concession,
    by_provider_adjustment,
    by_refund,
    by_release,
    by_return,
    by_revision,
    by_transfer,
    by_unidentified_deposit,
    by_unknown_payment,
    by_write_off,
    released,
)
from throughline.checker.identity import charge_posting_id
from throughline.checker.invariants.period_ends import presented_and_taken_back
from throughline.checker.records import Published, State
from throughline.checker.world import World

SIMPLE: Mapping[tuple[str, str], Callable[[State], Sums]] = {
    ("claims", "claim-payment-unknown"): by_unknown_payment,
    ("claims", "claim-payment-noted"): by_note,
    ("claims", "denial-released"): by_release,
    ("claims", "denial-written-off"): by_write_off,
    ("payments", "deposit-matched"): by_deposit,
    ("payments", "payer-overpayment-moved"): by_overpayment,
    ("payments", "deposit-unidentified"): by_unidentified_deposit,
    ("payments", "patient-payment-succeeded"): by_patient_payment,
    ("payments", "payment-applied"): by_application,
    ("payments", "patient-refund-moved"): by_refund,
    ("payments", "patient-dispute-moved"): by_dispute,
    ("payments", "patient-payment-returned"): by_return,
    ("payments", "patient-balance-written-off"): by_patient_write_off,
    ("payments", "patient-money-transferred"): by_transfer,
    ("payments", "price-concession-moved"): by_price_concession,
    ("payments", "payout-paid"): by_payout,
}
"""By upstream and type: facts whose one posting follows from nothing but the message."""


def booked_as_told(world: World) -> Iterable[str]:
    """Compares the postings of every message with what it must book. How many there are is judged elsewhere."""
    postings: dict[str, list[Posting]] = {}
    for posting in world.ledger.postings.values():
        postings.setdefault(posting.source, []).append(posting)
    denied = denied_by_message(world)
    for (upstream, event_type), formula in SIMPLE.items():
        for message in world.messages(upstream, event_type):
            for posting in postings.get(message.id, ()):
                yield from _differences(_name(message), posting.sums, formula(message.data))
    for message in world.messages("intake", "encounter-charged"):
        for posting in postings.get(message.id, ()):
            yield from _differences(_name(message), posting.sums, by_charges(message.data, _estimate(posting)))
    for message in world.messages("intake", "charges-revised"):
        for posting in postings.get(message.id, ()):
            yield from _differences(_name(message), posting.sums, by_revision(message.data, _estimate(posting)))
    for message in world.messages("claims", "claim-revised"):
        revised = world.ledger.postings.get(_charges_of(message, message.data["revision"]))
        for posting in postings.get(message.id, ()):
            wanted = by_estimate_release(message.data, _estimate(revised) if revised else 0)
            yield from _differences(_name(message), posting.sums, wanted)
    for message in world.messages("claims", "claim-adjudicated"):
        for posting in postings.get(message.id, ()):
            wanted = _decided(world, message, denied.get(message.id, 0))
            yield from _differences(_name(message), posting.sums, wanted)
    for message in world.messages("payments", "remittance-accepted"):
        yield from _adjustments(message, postings.get(message.id, []))
    yield from presented_and_taken_back(world.ledger)


def denied_by_message(world: World) -> dict[str, int]:
    """What claims says was denied, by the event that announces the decision."""
    return {
        decision.announced_as: decision.denied
        for decisions in world.claims.adjudications.values()
        for decision in decisions
    }


def _decided(world: World, message: Published, denied: int) -> Sums:
    facts = message.data
    revisions = range(facts.get("charges_revision", 0) + 1)
    charges = (world.ledger.postings.get(_charges_of(message, revision)) for revision in revisions)
    release = released(facts, sum(_estimate(posting) for posting in charges if posting))
    return added(*by_decision(facts, denied).items(), *release.items())


def _estimate(posting: Posting) -> int:
    """What the charges' posting says is expected to be taken off; of a revision, by how much it changed that."""
    return -posting.sums.get(ESTIMATE, 0)


def _charges_of(message: Published, revision: int) -> str:
    return charge_posting_id(message.data["encounter_id"], message.data["posting"], revision)


def _name(message: Published) -> str:
    return f"{message.type} {message.id}"


def _adjustments(message: Published, postings: list[Posting]) -> Iterable[str]:
    """Each provider-level adjustment of a remittance is one posting, by its ordinal."""
    pairs = message.data["adjustments"]
    ordinals = sorted(posting.adjustment for posting in postings)
    if postings and ordinals != list(range(len(pairs))):
        yield f"{_name(message)}: adjustments {ordinals} are posted, it has {len(pairs)}"
        return
    for posting in postings:
        reason, amount = pairs[posting.adjustment]
        place = f"{_name(message)}, adjustment {posting.adjustment} ({reason})"
        yield from _differences(place, posting.sums, by_provider_adjustment(reason, amount))


def _differences(place: str, have: Mapping[tuple[str, str], int], wanted: Sums) -> Iterable[str]:
    for account in sorted(have.keys() | wanted.keys()):
        if have.get(account, 0) != wanted.get(account, 0):
            name = " ".join(account).strip()
            yield f"{place}: {name} is {shown(have.get(account, 0))}, it must be {shown(wanted.get(account, 0))}"
