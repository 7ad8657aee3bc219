"""All lists of master data together, and what is looked up in them by code and day."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any, Generic, Protocol, TypeVar

from canonical.classes import CanonicalModel, Public
from canonical.master_data.rows import (
    ChargeMasterRow,
    CostCenter,
    Crosswalk,
    Dated,
    Department,
    DunningStepRow,
    Entity,
    FeeScheduleRow,
    Location,
    Payer,
    Plan,
    PriceConcession,
    Provider,
    SourceClient,
    TradingPartner,
    UnknownMasterData,
)

_Row = TypeVar("_Row", bound=Dated)


class KnownMasterData(Protocol):
    """What services ask of master data, whichever version of it they hold."""

    @property
    def entities(self) -> tuple[Entity, ...]: ...

    @property
    def payers(self) -> tuple[Payer, ...]: ...

    @property
    def fee_schedules(self) -> tuple[FeeScheduleRow, ...]: ...

    @property
    def price_concessions(self) -> tuple[PriceConcession, ...]: ...

    @property
    def dunning_steps(self) -> tuple[DunningStepRow, ...]: ...

    def entity(self, code: str, day: date) -> Entity: ...

    def payer(self, code: str, day: date) -> Payer: ...

    def provider(self, code: str, day: date) -> Provider: ...

    def department(self, code: str, day: date) -> Department: ...

    def entity_by_bank_account(self, account: str, day: date) -> Entity: ...


class _Index(Generic[_Row]):
    """The rows of one list by key, for as long as the list is this one."""

    def __init__(self, rows: Sequence[_Row], key_of: Callable[[_Row], Hashable]) -> None:
        self.rows = rows
        self.by_key: dict[Hashable, list[_Row]] = {}
        for row in rows:
            self.by_key.setdefault(key_of(row), []).append(row)


class MasterData(CanonicalModel, extra="forbid"):
    """Everything a deployment knows of its world, loaded from one file."""

    version: Public[str]
    entities: tuple[Entity, ...]
    payers: tuple[Payer, ...]
    providers: tuple[Provider, ...]
    locations: tuple[Location, ...] = ()
    departments: tuple[Department, ...] = ()
    crosswalks: tuple[Crosswalk, ...] = ()
    fee_schedules: tuple[FeeScheduleRow, ...] = ()
    trading_partners: tuple[TradingPartner, ...] = ()
    source_clients: tuple[SourceClient, ...] = ()
    charge_master: tuple[ChargeMasterRow, ...] = ()
    plans: tuple[Plan, ...] = ()
    cost_centers: tuple[CostCenter, ...] = ()
    price_concessions: tuple[PriceConcession, ...] = ()
    dunning_steps: tuple[DunningStepRow, ...] = ()

    def content_hash(self) -> str:
        """SHA-256 of everything but the version."""
        return sha256(self.model_dump_json(exclude={"version"}).encode()).hexdigest()

    def entity(self, code: str, day: date) -> Entity:
        return self._find("entity", self.entities, code, day)

    def payer(self, code: str, day: date) -> Payer:
        return self._find("payer", self.payers, code, day)

    def provider(self, code: str, day: date) -> Provider:
        return self._find("provider", self.providers, code, day)

    def location(self, code: str, day: date) -> Location:
        return self._find("location", self.locations, code, day)

    def department(self, code: str, day: date) -> Department:
        return self._find("department", self.departments, code, day)

    def charge_master_row(self, code: str, department: str, day: date) -> ChargeMasterRow | None:
        """The row of a charge: its department's, else that of all departments; None where the charge master has none."""
        rows = self._rows_of("charge", self.charge_master, code)
        named = {row.department: row for row in rows if row.holds_on(day)}
        return named.get(department) or named.get("")

    def payer_by_x12(self, identifier: str, day: date) -> Payer:
        """The payer behind a payer identifier on a remittance; TRN03 carries it with a leading 1 (or 9, 3)."""
        plain = identifier[1:] if identifier[:1] in ("1", "3", "9") else identifier
        for payer in self.payers:
            if payer.holds_on(day) and payer.x12_identifier in (identifier, plain):
                return payer
        raise UnknownMasterData(f"no payer with X12 identifier {identifier!r} on {day}")

    def entity_by_npi(self, npi: str, day: date) -> Entity:
        for entity in self.entities:
            if entity.holds_on(day) and npi == entity.npi:
                return entity
        raise UnknownMasterData(f"no entity with NPI {npi!r} on {day}")

    def entity_by_bank_account(self, account: str, day: date) -> Entity:
        for entity in self.entities:
            if entity.holds_on(day) and account == entity.bank_account:
                return entity
        raise UnknownMasterData(f"no entity with bank account ending {account[-4:]!r} on {day}")

    def sources_of(self, client_id: str, day: date) -> tuple[str, ...]:
        """The sources that a client may send messages for, none for a client that is not known."""
        rows = (row for row in self._rows_of("client", self.source_clients, client_id) if row.holds_on(day))
        return tuple(dict.fromkeys(source for row in rows for source in row.sources))

    def translate(self, source: str, kind: str, code: str, day: date) -> str:
        """Our code for what `source` calls `code`; the code itself where no crosswalk row of that source and kind exists."""
        kinds = self._index("crosswalk kind", self.crosswalks, lambda row: (row.source, row.kind))
        if (source, kind) not in kinds.by_key:
            return code
        index = self._index("crosswalk", self.crosswalks, lambda row: (row.source, row.kind, row.code))
        return _holding(index.by_key.get((source, kind, code), ()), code, day, f"crosswalk {source}/{kind}").ours

    def _find(self, what: str, rows: tuple[_Row, ...], code: str, day: date) -> _Row:
        return _holding(self._rows_of(what, rows, code), code, day, what)

    def _rows_of(self, what: str, rows: tuple[_Row, ...], code: str) -> Iterable[_Row]:
        return self._index(what, rows, lambda row: row.code).by_key.get(code, ())

    @cached_property
    def indexes(self) -> dict[str, _Index[Any]]:
        """Made when they are first asked; a copy with another list takes them along, so each knows its list."""
        return {}

    def _index(self, what: str, rows: tuple[_Row, ...], key_of: Callable[[_Row], Hashable]) -> _Index[_Row]:
        index: _Index[_Row] | None = self.indexes.get(what)
        if index is None or index.rows is not rows:
            index = self.indexes[what] = _Index(rows, key_of)
        return index


def _holding(rows: Iterable[_Row], code: str, day: date, what: str) -> _Row:
    for row in rows:
        if row.holds_on(day):
            return row
    raise UnknownMasterData(f"no {what} {code!r} on {day}")
