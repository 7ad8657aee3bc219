"""M3: the clearing accounts hold nothing but open items, and each open item is explained; so does unapplied payer cash."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from throughline.checker.amounts import cents, shown
from throughline.checker.expected import CLEARING_BY_CHANNEL, by_dispute, by_refund, by_return
from throughline.checker.invariants.receivables import booked, ledger_sums
from throughline.checker.records import Published
from throughline.checker.result import Failures, Result, judged
from throughline.checker.world import World

OPEN_ITEMS_SHOWN_MAX = 20


@dataclass(slots=True)
class _Remittances:
    """By remittance: what clearing holds, what of the payment is booked and deposited, whose claims wait."""

    balances: dict[str, int] = field(default_factory=dict)
    promised: dict[str, int] = field(default_factory=dict)
    deposited: dict[str, int] = field(default_factory=dict)
    with_claims_waiting: set[str] = field(default_factory=set)


def clearing_is_explained(world: World) -> Result:
    """M3: EFT clearing is zero per remittance once its deposit is matched; gateway clearing is what is not paid out."""
    failures = Failures()
    found = _remittances(world)
    open_items: list[str] = []
    for item, balance in sorted(found.balances.items()):
        if not balance:
            continue
        why = _explanation(world, found, item)
        if why is None:
            failures.add(f"remittance {item}: EFT clearing is {shown(balance)}, and nothing explains it")
        else:
            open_items.append(f"{item}: {shown(balance)}, {why}")
    failures.extend(_gateway(world))
    failures.extend(_unapplied(world))
    failures.extend(_unidentified(world))
    return judged(
        "M3",
        "Clearing accounts hold nothing unexplained",
        failures,
        remittances=len(found.balances),
        eft_clearing=shown(sum(found.balances.values())),
        open_items=len(open_items),
        items=open_items[:OPEN_ITEMS_SHOWN_MAX],
    )


def _remittances(world: World) -> _Remittances:
    found = _Remittances()
    for posting in world.ledger.postings.values():
        for (account, _), amount in posting.sums.items():
            if account == "eft-clearing":
                found.balances[posting.item_id] = found.balances.get(posting.item_id, 0) + amount
        if posting.kind == "remittance":
            found.promised[posting.group_id] = found.promised.get(posting.group_id, 0) + posting.cash
    for message in booked(world, "payments", "deposit-matched"):
        identity = message.data["remittance_id"]
        found.deposited[identity] = found.deposited.get(identity, 0) + cents(message.data["amount"])
    for service, upstream, types in (
        ("ledger", "claims", ("claim-adjudicated", "claim-payment-unknown")),
        ("ledger", "payments", ("remittance-accepted",)),
        ("claims", "payments", ("remittance-chunk-accepted",)),
    ):
        waiting = world.waiting(service)
        for event_type in types:
            messages = world.messages(upstream, event_type)
            found.with_claims_waiting |= {_remittance_of(m) for m in messages if m.id in waiting}
    return found


def _remittance_of(message: Published) -> str:
    facts = message.data.get("summary") or message.data
    return str(facts["remittance_id"])


def _explanation(world: World, found: _Remittances, remittance_id: str) -> str | None:
    """Why a remittance's clearing is not zero; None where nothing says so."""
    remittance = world.payments.remittances.get(remittance_id)
    if remittance is None:
        return None
    deposited = found.deposited.get(remittance_id, 0)
    promised = found.promised.get(remittance_id, 0)
    missing = remittance.payment - promised
    if found.balances[remittance_id] != promised - deposited:
        return None
    if missing and remittance_id not in found.with_claims_waiting:
        return None
    reasons = [f"{shown(missing)} waits with its claims for a person"] if missing else []
    if deposited > remittance.payment:
        return None
    if deposited != remittance.payment:
        reasons.append("its deposit is matched and waits at the ledger" if remittance.deposit_id else "no deposit yet")
    return " and ".join(reasons)


def _unapplied(world: World) -> Iterable[str]:
    """Per remittance: the cash of claims nobody knows, less what was matched since."""
    expected: dict[str, int] = {}
    for message in booked(world, "claims", "claim-payment-unknown"):
        identity = message.data["remittance_id"]
        expected[identity] = expected.get(identity, 0) - cents(message.data["paid"])
    for message in booked(world, "claims", "claim-adjudicated"):
        if message.data.get("match"):
            identity = message.data["remittance_id"]
            expected[identity] = expected.get(identity, 0) + cents(message.data["paid"])
    have: dict[str, int] = {}
    for posting in world.ledger.postings.values():
        amount = posting.sums.get(("unapplied-payer", ""), 0)
        have[posting.item_id] = have.get(posting.item_id, 0) + amount
    for identity in sorted(expected.keys() | have.keys()):
        left, right = expected.get(identity, 0), have.get(identity, 0)
        if left != right:
            yield f"remittance {identity}: unapplied-payer is {shown(right)}, by its claims {shown(left)}"


def _unidentified(world: World) -> Iterable[str]:
    """Per entity: the deposits that nothing explained in time, less those that were matched since."""
    expected: dict[str, int] = {}
    for message in booked(world, "payments", "deposit-unidentified"):
        entity = message.data["entity"]
        expected[entity] = expected.get(entity, 0) - cents(message.data["amount"])
    for message in booked(world, "payments", "deposit-matched"):
        if message.data.get("was_unidentified"):
            entity = message.data["entity"]
            expected[entity] = expected.get(entity, 0) + cents(message.data["amount"])
    have = {entity: amount for (entity, _, _), amount in ledger_sums(world, ["unidentified-receipts"]).items()}
    for entity in sorted(expected.keys() | have.keys()):
        left, right = expected.get(entity, 0), have.get(entity, 0)
        if left != right:
            yield f"{entity}: deposits that nobody can name are {shown(left)}, unidentified-receipts {shown(right)}"


def _gateway(world: World) -> Iterable[str]:
    """Per entity: patients' payments that succeeded, by where they came in, less the payouts they came in."""
    expected: dict[tuple[str, str], int] = {}
    for message in booked(world, "payments", "patient-payment-succeeded"):
        facts = message.data
        place = (facts["entity"], CLEARING_BY_CHANNEL[facts.get("channel", "gateway")])
        expected[place] = expected.get(place, 0) + cents(facts["applied"]) + cents(facts["unapplied"])
    for event_type, formula in (
        ("patient-refund-moved", by_refund),
        ("patient-dispute-moved", by_dispute),
        ("patient-payment-returned", by_return),
    ):
        for message in booked(world, "payments", event_type):
            for (account, _), amount in formula(message.data).items():
                if account in CLEARING_BY_CHANNEL.values():
                    place = (message.data["entity"], account)
                    expected[place] = expected.get(place, 0) + amount
    for message in booked(world, "payments", "payout-paid"):
        place = (message.data["entity"], "gateway-clearing")
        expected[place] = expected.get(place, 0) - cents(message.data["gross"])
    sums = ledger_sums(world, CLEARING_BY_CHANNEL.values())
    have = {(entity, account): amount for (entity, account, _), amount in sums.items()}
    for place in sorted(expected.keys() | have.keys()):
        left, right = expected.get(place, 0), have.get(place, 0)
        if left != right:
            yield f"{' '.join(place)}: {shown(left)} not paid out yet, {shown(right)} in the ledger"
