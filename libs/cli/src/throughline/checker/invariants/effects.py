"""I2: every accepted input has exactly one effect, at every service that has to answer it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from throughline.checker.amounts import cents, shown
from throughline.checker.books.reconciliation import ReconciliationBook
from throughline.checker.identity import charge_posting_id, derive
from throughline.checker.invariants.bookings import booked_as_told
from throughline.checker.invariants.period_ends import CREDIT_BALANCES
from throughline.checker.records import Published
from throughline.checker.result import Failures, Result, judged
from throughline.checker.vocabulary import REACTS
from throughline.checker.world import World

POSTED = REACTS["ledger"]
"""By upstream: the messages of which each makes one subledger posting, a remittance one for each adjustment."""


def one_effect_per_input(world: World) -> Result:
    """I2."""
    failures = Failures()
    failures.extend(_postings(world))
    failures.extend(booked_as_told(world))
    failures.extend(_charges(world))
    failures.extend(_claims(world))
    failures.extend(_remittances(world))
    failures.extend(_claim_payments(world))
    failures.extend(_patients_owe(world))
    failures.extend(front_desk_payments(world))
    failures.extend(_witnessed(world))
    failures.extend(_unique(world))
    return judged(
        "I2",
        "Every accepted input has exactly one effect",
        failures,
        charge_postings=len(world.messages("intake", "encounter-charged")),
        claims=sum(map(len, world.claims.drafted.values())),
        remittances=len(world.payments.remittances),
        remittance_copies=len(world.payments.verdicts),
        claim_payments=len(world.payments.handed_on),
        adjudications=sum(map(len, world.claims.adjudications.values())),
        subledger_postings=len(world.ledger.postings),
        waiting=sum(len(world.waiting(service)) for service in world.stores),
    )


def _postings(world: World) -> Iterable[str]:
    """Each message that moves money is in one posting, and each posting is of one message."""
    told = (posting for posting in world.ledger.postings.values() if posting.kind != CREDIT_BALANCES)
    postings = Counter(posting.source for posting in told)
    waiting = world.waiting("ledger")
    known: set[str] = set()
    for upstream, types in POSTED.items():
        for event_type in sorted(types):
            for message in world.messages(upstream, event_type):
                known.add(message.id)
                wanted = _postings_wanted(message)
                if postings[message.id] != wanted and not (message.id in waiting and not postings[message.id]):
                    yield f"{event_type} {message.id}: {postings[message.id]} postings"
    if not any(world.stream(upstream).trimmed for upstream in POSTED):
        for source in postings.keys() - known:
            yield f"{postings[source]} postings of event {source}, which no stream holds"


def _postings_wanted(message: Published) -> int:
    """A remittance makes one for each adjustment, a revised claim one where it was decided on before."""
    if message.type == "remittance-accepted":
        return len(message.data["adjustments"])
    return int(message.data["decided"]) if message.type == "claim-revised" else 1


def _charges(world: World) -> Iterable[str]:
    """What was billed is what was posted, to whoever owes it."""
    waiting = world.waiting("ledger")
    for message in (*world.messages("intake", "encounter-charged"), *world.messages("intake", "charges-revised")):
        facts = message.data
        identity = charge_posting_id(facts["encounter_id"], facts["posting"], facts.get("revision", 0))
        posting = world.ledger.postings.get(identity)
        if posting is None:
            if message.id not in waiting:
                yield f"encounter {facts['encounter_id']}, posting {facts['posting']}: no posting {identity}"
            continue
        account = "ar-payer" if facts["payer"] else "ar-patient"
        billed = sum(amount for place, amount in posting.sums.items() if place[0] == account)
        told = cents(facts["total"]) - cents(facts.get("previous_total", "0.00 USD"))
        if billed != told or posting.entity != facts["entity"]:
            where = f"encounter {facts['encounter_id']}, posting {facts['posting']}"
            yield f"{where}: charged {shown(told)} at {facts['entity']}, posted {shown(billed)} at {posting.entity}"
    for charge, count in world.intake.charge_postings.items():
        if count > 1:
            yield f"charge {charge} is in {count} postings"
    yield from world.intake.miscounted


def _claims(world: World) -> Iterable[str]:
    """One claim to each payer of a posting, in their order; none of a posting that the patient pays."""
    waiting = world.waiting("claims")
    said = _totals_said(world)
    for message in world.messages("intake", "encounter-charged"):
        facts = message.data
        claims = world.claims.drafted.get((facts["encounter_id"], facts["posting"]), [])
        where = f"encounter {facts['encounter_id']}, posting {facts['posting']}"
        wanted = 1 if facts["payer"] else 0
        counts = Counter(claim.sequence for claim in claims)
        if counts[1] != wanted and not (message.id in waiting and not claims):
            yield f"{where}: {counts[1]} claims, not {wanted}"
        for sequence, count in counts.items():
            if sequence > 1 and (count > 1 or not counts[sequence - 1]):
                yield f"{where}: {count} claims to payer {sequence}, {counts[sequence - 1]} to the one before"
        for claim in claims:
            if claim.total not in said[facts["encounter_id"], facts["posting"]]:
                yield f"claim {claim.claim_id}: {shown(claim.total)} of {facts['total']} charged"
    yield from world.claims.miscounted


def _totals_said(world: World) -> dict[tuple[str, int], set[int]]:
    """By posting: what it came to, by each word on it; the claim to a later payer is drafted from a newer one."""
    said: dict[tuple[str, int], set[int]] = {}
    for event_type in ("encounter-charged", "charges-revised"):
        for message in world.messages("intake", event_type):
            facts = message.data
            said.setdefault((facts["encounter_id"], facts["posting"]), set()).add(cents(facts["total"]))
    return said


def _remittances(world: World) -> Iterable[str]:
    """Each copy has one verdict; each accepted remittance is handed on whole and is expected by the ledger."""
    waiting = world.waiting("payments")
    for message in world.messages("intake", "remittance-received"):
        summary = message.data["summary"]
        verdicts = world.payments.verdicts.get(summary["receipt_id"], [])
        if len(verdicts) != 1 and not (message.id in waiting and not verdicts):
            yield f"remittance {summary['remittance_id']}, copy {summary['receipt_id']}: {len(verdicts)} verdicts"
    held = bool(waiting)
    for identity, remittance in world.payments.remittances.items():
        if remittance.chunks != remittance.chunk_count and not (held and remittance.chunks < remittance.chunk_count):
            yield f"remittance {identity}: {remittance.chunks} of {remittance.chunk_count} parts handed on"
    expected = world.waiting("ledger")
    for message in world.messages("payments", "remittance-accepted"):
        remittance_id = message.data.get("summary", {}).get("remittance_id", "")
        if remittance_id and remittance_id not in world.ledger.manifests and message.id not in expected:
            yield f"remittance {remittance_id}: the ledger does not expect it"
    yield from world.payments.miscounted


def _claim_payments(world: World) -> Iterable[str]:
    """Each claim payment handed on is adjudicated once, or once recorded as unknown or noted; matches come on top."""
    waiting = world.waiting("claims")
    excused = {
        (message.data["remittance_id"], position)
        for message in world.messages("payments", "remittance-chunk-accepted")
        if message.id in waiting
        for position in message.data["paid"]
    }
    counts = Counter({place: len(found) for place, found in world.claims.unknown.items()})
    counts.update(world.claims.noted)
    for place, found in world.claims.adjudications.items():
        counts[place] += sum(not decision.match for decision in found)
        yield from _matches(world, place, sorted(decision.match for decision in found if decision.match))
    for place, handed_on in world.payments.handed_on.items():
        if handed_on != 1:
            yield f"remittance {place[0]}, claim {place[1]}: handed on {handed_on} times"
        if counts[place] != 1 and not (place in excused and not counts[place]):
            yield f"remittance {place[0]}, claim {place[1]}: {counts[place]} effects at claims"
    for place in counts.keys() - world.payments.handed_on.keys():
        yield f"remittance {place[0]}, claim {place[1]}: adjudicated, but never handed on"
    yield from _same_money(world)


def _matches(world: World, place: tuple[str, int], matches: list[int]) -> Iterable[str]:
    """What is matched was unknown before, and its matches are counted without a gap."""
    if matches and (matches != list(range(1, len(matches) + 1)) or place not in world.claims.unknown):
        yield f"remittance {place[0]}, claim {place[1]}: matched as {matches}"


def _same_money(world: World) -> Iterable[str]:
    for message in world.messages("payments", "remittance-chunk-accepted"):
        for position, paid in message.data["paid"].items():
            place = (message.data["remittance_id"], position)
            decisions = world.claims.adjudications.get(place, [])
            adjudicated = [decision.paid * (-1 if decision.is_unmatched else 1) for decision in decisions]
            for amount in adjudicated + world.claims.unknown.get(place, []):
                if amount != cents(paid):
                    yield f"remittance {place[0]}, claim {position}: paid {paid}, adjudicated {shown(amount)}"


def _patients_owe(world: World) -> Iterable[str]:
    """What payers leave to patients, and self-pay charges, are on the patients' accounts once."""
    waiting = world.waiting("payments")
    for message, source, amount in left_to_patients(world):
        owed = world.payments.patients.owed_for.get(source, [])
        if owed != [amount] and not (message.id in waiting and not owed):
            have = ", ".join(map(shown, owed)) or "nothing"
            yield f"{message.type} {message.id}: {shown(amount)} left to the patient, on the account: {have}"


def left_to_patients(world: World) -> Iterable[tuple[Published, str, int]]:
    """The messages that leave something to a patient, the cause on the account, and the amount."""
    for message in world.messages("claims", "claim-adjudicated"):
        facts = message.data
        amount = cents(facts["patient_responsibility"])
        if amount and not facts.get("next_payer"):
            place = (facts["claim_id"], facts["remittance_id"], facts["remittance_position"])
            match = facts.get("match", 0)
            yield message, derive("adjudication", *place, *((match,) if match else ())), amount
    for message in world.messages("intake", "encounter-charged"):
        facts = message.data
        if not facts["payer"]:
            yield message, derive("self-pay", facts["encounter_id"], facts["posting"]), cents(facts["total"])
    for message in world.messages("intake", "charges-revised"):
        facts = message.data
        if not facts["payer"]:
            source = derive("self-pay", facts["encounter_id"], facts["posting"], facts["revision"])
            yield message, source, cents(facts["total"]) - cents(facts["previous_total"])


def front_desk_payments(world: World) -> Iterable[str]:
    """What front desks took, as intake announced it, is what payments announces of it."""
    waiting = world.waiting("payments")
    succeeded = {
        message.data["payment_id"]: cents(message.data["applied"]) + cents(message.data["unapplied"])
        for message in world.messages("payments", "patient-payment-succeeded")
    }
    for message in world.messages("intake", "patient-payment-reported"):
        amount = succeeded.get(message.data["payment_id"])
        if amount != cents(message.data["amount"]) and not (message.id in waiting and amount is None):
            have = "nothing" if amount is None else shown(amount)
            yield f"payment {message.data['payment_id']}: {message.data['amount']} reported, {have} taken"


def _witnessed(world: World) -> Iterable[str]:
    """Reconciliation saw confirmed what was confirmed, with the same lines."""
    store = world.stores.get("reconciliation")
    if store is None or not isinstance(store.book, ReconciliationBook):
        return
    if list(world.in_flight("reconciliation")) or world.waiting("reconciliation") or world.stream("ledger").unpublished:
        return
    confirmed = {
        identity: journal.confirmed
        for identity, journal in world.ledger.journals.items()
        if journal.confirmed is not None
    }
    for identity in sorted(confirmed.keys() | store.book.confirmed.keys()):
        if confirmed.get(identity) != store.book.confirmed.get(identity):
            yield f"journal {identity}: confirmed with other lines than reconciliation witnessed"


def _unique(world: World) -> Iterable[str]:
    numbers = Counter(journal.number for journal in world.ledger.journals.values())
    for number, count in numbers.items():
        if count > 1:
            yield f"external number {number} is given to {count} journal entries"
    for store in world.stores.values():
        for identity in store.inbox_twice:
            yield f"{store.service}: message {identity} is in the inbox twice"
