"""What waited for a posting rule is booked once there is one: rules change when the service is started with others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from canonical.ids import derive
from chassis.domain import NotYet, Refusal
from chassis.eventstore import EventStore, transact
from chassis.exceptions import CASES
from chassis.messaging import BatchConsumer, retry_case

from ledger_adapter.application.drafting import context_for
from ledger_adapter.domain.posting_rules import UnmappedAdjustment, UnmappedProviderAdjustment

WAITING_FOR_RULES = (UnmappedAdjustment.__name__, UnmappedProviderAdjustment.__name__)
RETRIED_PER_RUN_MAX = 200
CASES_READ_MAX = 20_000


class RetryingUnmapped:
    """`run` retries the cases that found no rule when they came, each once in the life of a process."""

    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime],
        consumers: Iterable[BatchConsumer],
        rules_version: str,
    ) -> None:
        self._store = store
        self._clock = clock
        self._consumers = tuple(consumers)
        self._rules_version = rules_version
        self._looked_at = ""
        self._is_done = False

    def run(self) -> int:
        """How many were retried; in order of their ids, so that one that is refused again is not in the way."""
        if self._is_done:
            return 0
        open_cases = self._store.rows(
            CASES, {"code": list(WAITING_FOR_RULES), "state": ["open", "assigned"]}, limit=CASES_READ_MAX
        )
        ids = sorted(str(row["case_id"]) for row in open_cases if str(row["case_id"]) > self._looked_at)
        portion = ids[:RETRIED_PER_RUN_MAX]
        for case_id in portion:
            self._retry(UUID(case_id))
            self._looked_at = case_id
        self._is_done = len(portion) == len(ids)
        return len(portion)

    def _retry(self, case_id: UUID) -> None:
        context = context_for(derive("rules", self._rules_version), self._clock())
        reason = f"the posting rules are {self._rules_version} by now"
        try:
            transact(self._store, context, lambda work: retry_case(work, case_id, self._consumers, reason))
        except (Refusal, NotYet):
            return
