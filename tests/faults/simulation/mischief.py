"""What may go wrong, how often, and what did: every fault is drawn from one seeded generator and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from random import Random


class Kind(StrEnum):
    """One kind of fault. The crash kinds are named for the steps of `chassis.runtime.crash_points`."""

    CRASH_AFTER_RECEIVE = "crash:after-receive"
    CRASH_BEFORE_COMMIT = "crash:before-commit"
    CRASH_AFTER_COMMIT = "crash:after-commit"
    CRASH_BEFORE_PUBLISH = "crash:before-publish"
    CRASH_AFTER_PUBLISH = "crash:after-publish"
    CRASH_BEFORE_ACK = "crash:before-ack"
    CRASH_BEFORE_ERP = "crash:before-erp"
    CRASH_AFTER_ERP = "crash:after-erp"
    CRASH_BEFORE_SEND = "crash:before-send"
    CRASH_AFTER_SEND = "crash:after-send"
    STORE_UNREACHABLE = "store:unreachable"
    STORE_COMMIT_FAILED = "store:commit-failed"
    STORE_REPLY_LOST_AS_CONFLICT = "store:reply-lost-as-conflict"
    STORE_REPLY_LOST_AS_TRANSIENT = "store:reply-lost-as-transient"
    BUS_STREAM_DOWN = "bus:stream-down"
    BUS_PUBLISH_LOST = "bus:publish-lost"
    BUS_PUBLISH_ACK_LOST = "bus:publish-ack-lost"
    BUS_RELAY_FENCED = "bus:relay-fenced"
    BUS_DELIVERED_TWICE = "bus:delivered-twice"
    BUS_DELAYED = "bus:delayed"
    BUS_REORDERED = "bus:reordered"
    BUS_ACK_LOST = "bus:ack-lost"
    BUS_REPLAYED = "bus:replayed"
    BUS_STREAM_WIPED = "bus:stream-wiped"
    RACE_TWO_REPLICAS = "race:two-replicas"
    RACE_REDELIVERED_WHILE_RUNNING = "race:redelivered-while-running"
    ERP_DOWN = "erp:down"
    ERP_TIMEOUT_BEFORE_WORK = "erp:timeout-before-work"
    ERP_TIMEOUT_AFTER_WORK = "erp:timeout-after-work"
    ERP_HALF_THE_BATCH = "erp:half-the-batch"
    ERP_REFUSED = "erp:refused"
    ERP_PERIOD_CLOSED = "erp:period-closed"
    SEND_DOWN = "send:down"
    SEND_TIMEOUT_BEFORE_WORK = "send:timeout-before-work"
    SEND_TIMEOUT_AFTER_WORK = "send:timeout-after-work"
    DOOR_SENT_AGAIN = "door:sent-again"
    DOOR_ANSWER_LOST = "door:answer-lost"
    GATEWAY_DOWN = "gateway:down"
    GATEWAY_ANSWER_LOST = "gateway:answer-lost"
    GATEWAY_REFUSED = "gateway:refused"
    GATEWAY_WEBHOOK_LOST = "gateway:webhook-lost"
    CALL_UNANSWERED = "call:unanswered"
    CLOCK_STEPPED_BACK = "clock:stepped-back"

    @property
    def group(self) -> str:
        return self.value.split(":", 1)[0]


OBSERVED = frozenset({Kind.BUS_RELAY_FENCED, Kind.BUS_REORDERED})
"""What nobody draws: it follows from other faults, and is counted where it shows."""
GROUPS = tuple(dict.fromkeys(kind.group for kind in Kind))

_RATES: Mapping[str, float] = {
    "crash": 0.03,
    "store": 0.008,
    "bus": 0.08,
    "race": 0.04,
    "erp": 0.12,
    "send": 0.15,
    "door": 0.1,
    "gateway": 0.4,
    "call": 0.02,
    "clock": 0.001,
}
_RARE: Mapping[Kind, float] = {
    Kind.STORE_UNREACHABLE: 0.002,
    Kind.BUS_STREAM_DOWN: 0.03,
    Kind.BUS_REPLAYED: 0.01,
    Kind.BUS_STREAM_WIPED: 0.3,
    Kind.CRASH_BEFORE_ERP: 0.1,
    Kind.CRASH_AFTER_ERP: 0.1,
    Kind.CRASH_BEFORE_SEND: 0.2,
    Kind.CRASH_AFTER_SEND: 0.2,
    Kind.GATEWAY_WEBHOOK_LOST: 0.1,
}


class UnknownFaults(ValueError):
    """A name that is neither a group nor a kind of fault."""


def rates_of(names: Iterable[str]) -> dict[Kind, float]:
    """How often each kind strikes, 0 to 1, for `all`, `none`, groups such as `erp`, and kinds such as `erp:down`.

    Raises:
        UnknownFaults: see there.
    """
    chosen: set[Kind] = set()
    for name in names:
        found = {kind for kind in Kind if name in ("all", kind.group, kind.value)}
        if not found and name != "none":
            raise UnknownFaults(f"{name}: the groups are {', '.join(GROUPS)}")
        chosen |= found
    return {kind: _RARE.get(kind, _RATES[kind.group]) for kind in Kind if kind in chosen - OBSERVED}


class Crashed(BaseException):
    """The process died here. No `except Exception` may catch it, as none would a SIGKILL."""


class Mischief:
    """Draws faults. While it is held back nothing goes wrong, so that a run can come to rest."""

    def __init__(self, random: Random, rates: Mapping[Kind, float]) -> None:
        self._random = random
        self._rates = dict(rates)
        self._held_back: set[str] = set()
        self.struck: Counter[Kind] = Counter()

    def strikes(self, kind: Kind) -> bool:
        rate = self._rates.get(kind, 0.0)
        if not rate or kind.group in self._held_back:
            return False
        struck = self._random.random() < rate
        if struck:
            self.struck[kind] += 1
        return struck

    def note(self, kind: Kind) -> None:
        """Counts what was observed and not drawn."""
        self.struck[kind] += 1

    def crash(self, step: str) -> None:
        """Raises Crashed at a step, sometimes."""
        if self.strikes(Kind(f"crash:{step}")):
            raise Crashed(step)

    @contextmanager
    def without(self, *groups: str) -> Iterator[None]:
        """Holds these groups of faults back."""
        before = set(self._held_back)
        self._held_back |= set(groups)
        try:
            yield
        finally:
            self._held_back = before
