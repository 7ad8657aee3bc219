"""Finds what no webhook told: the gateway is asked for its events, and those that never came are taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.domain import Unavailable
from chassis.eventstore import EventStore
from chassis.inbound import INBOUND_MESSAGES

from payments.application.doors import Doors, GatewayMessage, fetched_from
from payments.application.ports import GatewayEvent, GatewayRefused, Gateways

PORTION_MAX = 200


@dataclass(frozen=True, slots=True)
class PollingTimes:
    """How far back the first question goes, and how long an event is left to its webhook."""

    first_look_back: timedelta = timedelta(days=3)
    grace: timedelta = timedelta(minutes=2)


class GatewayPolling:
    """Asks each gateway for the events since it was asked last; what is known by its id is left out."""

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

    def poll(self) -> int:
        """The number of events that no webhook had told; a gateway that does not answer is asked the next time."""
        return sum(map(self._poll_one, sorted(self._gateways)))

    def _poll_one(self, name: str) -> int:
        until = self._clock() - self._times.grace
        since = self._since.get(name, self._clock() - self._times.first_look_back)
        try:
            events = self._gateways[name].events_since(since)
        except (Unavailable, GatewayRefused):
            return 0
        due = [event for event in events if event.at <= until]
        missed = [
            event
            for start in range(0, len(due), PORTION_MAX)
            for event in self._untold(name, due[start : start + PORTION_MAX])
        ]
        for start in range(0, len(missed), PORTION_MAX):
            self._doors.receive_webhooks([_message(name, event) for event in missed[start : start + PORTION_MAX]])
        self._since[name] = max(since, until)
        return len(missed)

    def _untold(self, name: str, events: Sequence[GatewayEvent]) -> list[GatewayEvent]:
        where = {"source_system": [name, fetched_from(name)], "delivery_key": [event.event_id for event in events]}
        rows = self._store.rows(INBOUND_MESSAGES, where, limit=4 * PORTION_MAX)
        known = {str(row["delivery_key"]) for row in rows}
        return [event for event in events if event.event_id not in known]


def _message(name: str, event: GatewayEvent) -> GatewayMessage:
    return GatewayMessage(event.raw, event.event_id, event.fact, gateway=name, is_fetched=True, refusal=event.refusal)
