"""Finds what no webhook told: the gateway is asked for its events, and those that never came are taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.eventstore import EventStore
from chassis.inbound import INBOUND_MESSAGES

from payments.application.doors import Doors, GatewayMessage, fetched_from
from payments.application.ports import GatewayEvent, Gateways, of_each_gateway

PORTION_MAX = 200


@dataclass(frozen=True, slots=True)
class PollingTimes:
    """How far back the first question goes, how long an event is left to its webhook, what is asked for at once, how often."""

    first_look_back: timedelta = timedelta(days=3)
    grace: timedelta = timedelta(minutes=2)
    window: timedelta = timedelta(hours=1)
    every: timedelta = timedelta(minutes=1)


class GatewayPolling:
    """Asks each gateway for the events since it was asked last, a window after the other; what is known is left out.

    Where a gateway does not answer, the next question begins with the window that it left open.
    """

    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime],
        gateways: Gateways,
        doors: Doors,
        times: PollingTimes,
    ) -> None:
        self._store = store
        self._clock = clock
        self._gateways = gateways
        self._doors = doors
        self._times = times
        self._since: dict[str, datetime] = {}
        self._asked_at: datetime | None = None

    def poll(self) -> int:
        """The number of events that no webhook had told; nothing is asked before its time.

        Raises:
            Unavailable: one of the gateways does not answer; the others were asked.
        """
        now = self._clock()
        if self._asked_at is not None and now < self._asked_at + self._times.every:
            return 0
        self._asked_at = now
        return of_each_gateway(self._gateways, self._poll_one)

    def _poll_one(self, name: str) -> int:
        until = self._clock() - self._times.grace
        since = self._since.get(name, self._clock() - self._times.first_look_back)
        missed = 0
        while since < until:
            end = min(until, since + self._times.window)
            missed += self._take(name, self._gateways[name].events_between(since, end))
            self._since[name] = since = end
        return missed

    def _take(self, name: str, events: Sequence[GatewayEvent]) -> int:
        missed = 0
        for start in range(0, len(events), PORTION_MAX):
            untold = self._untold(name, events[start : start + PORTION_MAX])
            if untold:
                self._doors.receive_webhooks([_message(name, event) for event in untold])
            missed += len(untold)
        return missed

    def _untold(self, name: str, events: Sequence[GatewayEvent]) -> list[GatewayEvent]:
        where = {"source_system": [name, fetched_from(name)], "delivery_key": [event.event_id for event in events]}
        rows = self._store.rows(INBOUND_MESSAGES, where, limit=4 * PORTION_MAX)
        known = {str(row["delivery_key"]) for row in rows}
        return [event for event in events if event.event_id not in known]


def _message(name: str, event: GatewayEvent) -> GatewayMessage:
    return GatewayMessage(event.raw, event.event_id, event.fact, gateway=name, is_fetched=True, refusal=event.refusal)
