"""I3 and I7: nothing vanishes between the services, and every exception has a beginning and, if ended, an end."""

from __future__ import annotations

from collections.abc import Iterable

from throughline.checker.identity import charge_posting_id, decision_posting_id
from throughline.checker.records import Parked
from throughline.checker.result import Failures, Result, judged
from throughline.checker.world import Store, World

ENDINGS = frozenset({"retried", "corrected", "dismissed"})


def nothing_vanishes(world: World) -> Result:
    """I3: each message is done, or waits in sight; each inbound message has a verdict; nothing waits for ever."""
    failures = Failures()
    value = {"messages": 0, "in_flight": 0, "parked": 0, "inbound": 0, "unpublished": 0}
    for service, store in world.stores.items():
        failures.extend(_unanswered(world, service, value))
        failures.extend(_undecided(store))
        failures.extend(_waits(world, store))
        value["parked"] += len(store.parked)
        value["inbound"] += len(store.book.inbound)
        unpublished = world.stream(service).unpublished if store.stream else 0
        value["unpublished"] += unpublished
        if unpublished and world.settled:
            failures.add(f"{service}: {unpublished} public events of the log are not in the stream")
    return judged("I3", "Nothing vanishes", failures, **value)


def _unanswered(world: World, service: str, value: dict[str, int]) -> Iterable[str]:
    """Messages that a service reacts to and has not answered, or answered with other content."""
    inbox = world.stores[service].inbox
    in_flight = {message.id for message in world.in_flight(service)}
    value["in_flight"] += len(in_flight)
    for upstream, message in world.reacted_to(service):
        value["messages"] += 1
        place = f"{service}: {upstream} {message.type} {message.id} (sequence {message.sequence})"
        content_hash = inbox.get(message.id)
        if content_hash is None:
            if message.id not in in_flight:
                yield f"{place} was acknowledged and is not in the inbox"
            elif world.settled:
                yield f"{place} is still on its way"
        elif content_hash != message.content_hash:
            yield f"{place} was answered with other content"


def _undecided(store: Store) -> Iterable[str]:
    for identity, message in store.book.inbound.items():
        if message.state not in ("accepted", "quarantined", "refused"):
            yield f"{store.service}: inbound message {identity} is {message.state}, without a verdict"


def _waits(world: World, store: Store) -> Iterable[str]:
    """Parked messages belong to an open case, or wait for what one of those will bring."""
    explained = _to_come(world, store)
    for parked in store.parked:
        place = f"{store.service}: parked {parked.type} {parked.message_id}"
        if parked.message_id not in store.inbox:
            yield f"{place} is not in the inbox"
        if parked.case_id is not None:
            case = store.book.cases.get(parked.case_id)
            if case is None:
                yield f"{place} belongs to case {parked.case_id}, which does not exist"
            elif not case.is_open:
                yield f"{place} belongs to case {parked.case_id}, which was {case.how}"
        elif world.settled and parked.waiting_for not in explained:
            yield f"{place} waits for {parked.waiting_for}, and no case explains it"


def _to_come(world: World, store: Store) -> set[str | None]:
    """What the messages that wait for a person, here or upstream, will make once they are let go."""
    held = {parked.message_id for parked in store.parked if parked.case_id is not None}
    made: set[str | None] = {parked.key for parked in store.parked if parked.case_id is not None}
    for message in world.messages("intake", "encounter-charged"):
        if message.id in held:
            made.add(charge_posting_id(message.data["encounter_id"], message.data["posting"]))
    for message in world.messages("intake", "charges-revised"):
        if message.id in held:
            facts = message.data
            made.add(charge_posting_id(facts["encounter_id"], facts["posting"], facts["revision"]))
    for message in world.messages("claims", "claim-adjudicated"):
        if message.id in held:
            made.add(decision_posting_id(message.data))
    for message in world.messages("intake", "remittance-received"):
        if message.id in held:
            made.add(message.data["summary"]["remittance_id"])
    return made


def no_orphan_exception(world: World) -> Result:
    """I7: each case was raised; each ended one says by whom and why; an open one still has its message."""
    failures = Failures()
    counts = {"open": 0, "ended": 0}
    for service, store in world.stores.items():
        failures.merge(store.book.case_failures, f"{service}: ")
        by_case: dict[str | None, Parked] = {parked.case_id: parked for parked in store.parked}
        for identity, case in store.book.cases.items():
            counts["open" if case.is_open else "ended"] += 1
            failures.extend(_case_faults(f"{service}: case {identity} ({case.code})", identity, store, by_case))
    return judged("I7", "No exception is an orphan", failures, **counts)


def _case_faults(place: str, identity: str, store: Store, by_case: dict[str | None, Parked]) -> Iterable[str]:
    case = store.book.cases[identity]
    if not case.events or case.events[0] != "raised" or case.events.count("raised") != 1:
        yield f"{place}: its events are {', '.join(case.events)}"
    if case.how and case.how not in ENDINGS:
        yield f"{place}: it ended as {case.how}"
    if case.is_open and case.message_id is not None:
        parked = by_case.get(identity)
        if parked is None:
            yield f"{place}: it is open, and its message {case.message_id} is not parked"
        elif parked.message_id != case.message_id:
            yield f"{place}: its message is {case.message_id}, parked is {parked.message_id}"
