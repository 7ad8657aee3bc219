"""The ERP and the way to the clearinghouse, failing before the work, after it, or in the middle."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from canonical.codes import Dimension
from claims.application.ports import TransportUnavailable, TransportUncertain
from ledger_adapter.adapters.fake_erp import ErpFault, FakeErp
from ledger_adapter.application.ports import (
    AccountBalance,
    DimensionBalance,
    ErpDocument,
    ErpJournal,
    FiscalPeriod,
    Pending,
    Posted,
    RefusalKind,
    Refused,
)

from .mischief import Kind, Mischief

_FAULTS = {
    Kind.ERP_TIMEOUT_BEFORE_WORK: ErpFault.TIMEOUT_BEFORE_WORK,
    Kind.ERP_TIMEOUT_AFTER_WORK: ErpFault.TIMEOUT_AFTER_WORK,
    Kind.ERP_HALF_THE_BATCH: ErpFault.HALF_THE_BATCH,
}
_REFUSALS = {Kind.ERP_REFUSED: RefusalKind.INVALID, Kind.ERP_PERIOD_CLOSED: RefusalKind.PERIOD_CLOSED}


class FaultyErp:
    """Implements Erp over the fake one, whose own ledger is what the invariants look at."""

    name = "fake"

    def __init__(self, mischief: Mischief) -> None:
        self.inner = FakeErp(kept_dimensions=frozenset(Dimension))
        self._mischief = mischief

    def find(self, entity: str, numbers: Sequence[str]) -> Mapping[str, ErpDocument | Pending]:
        self._go_down_sometimes()
        return self.inner.find(entity, numbers)

    def post(self, entity: str, documents: Sequence[ErpJournal]) -> Mapping[str, Posted | Refused | Pending]:
        self._go_down_sometimes()
        self.inner.faults = [fault for kind, fault in _FAULTS.items() if self._mischief.strikes(kind)][:1]
        self.inner.refused_numbers = {}
        for kind, refusal in _REFUSALS.items():
            if self._mischief.strikes(kind):
                self.inner.refused_numbers[documents[0].number] = refusal
        return self.inner.post(entity, documents)

    def balances(self, entity: str) -> Sequence[AccountBalance]:
        self._go_down_sometimes()
        return self.inner.balances(entity)

    def dimensions(self, entity: str) -> frozenset[Dimension]:
        return self.inner.dimensions(entity)

    def dimension_balances(self, entity: str) -> Sequence[DimensionBalance]:
        self._go_down_sometimes()
        return self.inner.dimension_balances(entity)

    def periods(self, entity: str) -> Sequence[FiscalPeriod]:
        self._go_down_sometimes()
        return self.inner.periods(entity)

    def _go_down_sometimes(self) -> None:
        self.inner.is_down = self._mischief.strikes(Kind.ERP_DOWN)


class FaultyTransport:
    """Implements ClaimTransport in memory: files wait in `outbound` until they are `taken`, as in the exchange folder.

    `sendings` names every file that came to wait, so that a second one of a name shows.
    """

    def __init__(self, mischief: Mischief) -> None:
        self.outbound: dict[str, bytes] = {}
        self.taken: dict[str, bytes] = {}
        self.sendings: list[str] = []
        self._mischief = mischief

    def probe(self, name: str) -> str | None:
        self._go_down_sometimes()
        content = self.outbound.get(name) or self.taken.get(name)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def send(self, name: str, content: bytes) -> None:
        self._go_down_sometimes()
        if self._mischief.strikes(Kind.SEND_TIMEOUT_BEFORE_WORK):
            raise TransportUncertain("no reply")
        if name not in self.outbound:
            self.sendings.append(name)
        assert self.outbound.setdefault(name, content) == content, "one name, one content"
        if self._mischief.strikes(Kind.SEND_TIMEOUT_AFTER_WORK):
            raise TransportUncertain("no reply")

    def take(self, name: str) -> bytes:
        """What the clearinghouse does."""
        self.taken[name] = self.outbound.pop(name)
        return self.taken[name]

    def _go_down_sometimes(self) -> None:
        if self._mischief.strikes(Kind.SEND_DOWN):
            raise TransportUnavailable("the exchange does not answer")
