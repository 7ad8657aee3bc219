"""The books of each entity: at which ERP, under which company, with which account for which role. One JSON file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Self

from canonical.codes import AccountRole, Dimension
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ledger_adapter.adapters.erp_quota import QuotaSettings
from ledger_adapter.application.ports import Code, Erp, UnknownEntity
from ledger_adapter.domain.books_mapping import MappedCode, NamedBooks
from ledger_adapter.domain.period_calendar import LatePolicy


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Chart(_Strict):
    """Account codes by role, each role once and each code once, so that what is read back has one meaning.

    `parties` renames our party codes where the ERP knows a payer under another code. `dimensions` says which of ours the
    books keep, and what the ERP calls each: an analytic root, a segment, a dimension code.
    """

    accounts: Mapping[AccountRole, Code]
    parties: Mapping[str, Code] = {}
    dimensions: Mapping[Dimension, Code] = {}

    @model_validator(mode="after")
    def _one_to_one(self) -> Self:
        missing = sorted(role.value for role in AccountRole if role not in self.accounts)
        if missing:
            raise ValueError(f"the chart has no account for: {', '.join(missing)}")
        for what, codes in (("account", self.accounts), ("party", self.parties), ("dimension", self.dimensions)):
            if len(set(codes.values())) < len(codes):
                raise ValueError(f"two roles, parties or dimensions share one {what} code")
        return self

    def account_of(self, role: AccountRole) -> str:
        return self.accounts[role]

    def party_of(self, party: str) -> str:
        return self.parties.get(party, party)

    def role_of(self, account: str) -> AccountRole | None:
        return next((role for role, code in self.accounts.items() if code == account), None)

    def our_party(self, party: str) -> str:
        return next((ours for ours, theirs in self.parties.items() if theirs == party), party)


class ErpSettings(_Strict):
    """How to reach one ERP; `kind` names its adapter. Paths are relative to the configuration file.

    `quota` is our slice of what its credential may ask.
    """

    kind: str
    connection_file: Path | None = None
    quota: QuotaSettings = QuotaSettings()
    folder: Path | None = None

    def connection_path(self, name: str) -> Path:
        """
        Raises:
            ValueError: this ERP is reached by a connection file, and none is given.
        """
        if self.connection_file is None:
            raise ValueError(f"ERP {name}: a {self.kind} needs a connection_file")
        return self.connection_file


class BooksMode(StrEnum):
    """How an entity's books are kept at its ERP, one way alone."""

    GL_SUMMARY = "gl-summary"


class EntityBooks(_Strict):
    """Where one entity's books are kept. `late_entries` says what becomes of an entry whose period is closed, and
    `present_credit_balances` whether its statements show credit balances of receivables as owed.

    `mode` is `gl-summary`: journals summed by account, party and dimensions.
    """

    erp: str
    company: Code
    journal: Code = "TL"
    chart: str
    late_entries: LatePolicy = LatePolicy.NEXT_OPEN
    mode: BooksMode = BooksMode.GL_SUMMARY
    present_credit_balances: bool = True

    @field_validator("mode", mode="before")
    @classmethod
    def _one_that_is_built(cls, mode: object) -> object:
        if mode == "ar-documents":
            raise ValueError("mode 'ar-documents' (a document per receivable) is not built yet; use 'gl-summary'")
        if not isinstance(mode, str) or mode not in set(BooksMode):
            raise ValueError(f"mode {mode!r}: one of {', '.join(BooksMode)}")
        return mode


class BooksConfiguration(_Strict):
    """The whole file."""

    erps: Mapping[str, ErpSettings]
    charts: Mapping[str, Chart]
    entities: Mapping[str, EntityBooks] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        for entity, books in self.entities.items():
            if books.erp not in self.erps or books.chart not in self.charts:
                raise ValueError(f"entity {entity}: ERP {books.erp!r} or chart {books.chart!r} is not configured")
        return self


class Books(_Strict):
    """One entity's books, resolved."""

    entity: str
    company: str
    journal: str
    chart: Chart


BuildErp = Callable[[str, ErpSettings, Mapping[str, Books]], Erp]


class ConfiguredErps:
    """The ERPs of a configuration; adapters come by kind."""

    def __init__(self, configuration: BooksConfiguration, adapters: Mapping[str, BuildErp]) -> None:
        self._configuration = configuration
        self._erp_of = {entity: books.erp for entity, books in configuration.entities.items()}
        self._late_policies = {entity: books.late_entries for entity, books in configuration.entities.items()}
        self._presenting = {each for each, books in configuration.entities.items() if books.present_credit_balances}
        self._charts = {entity: configuration.charts[books.chart] for entity, books in configuration.entities.items()}
        self._erps = {}
        for name, settings in configuration.erps.items():
            if settings.kind not in adapters:
                raise UnknownErpKind(f"ERP {name}: no adapter for {settings.kind!r}; known: {', '.join(adapters)}")
            self._erps[name] = adapters[settings.kind](name, settings, _books_at(configuration, name))

    def of(self, entity: str) -> Erp:
        if entity not in self._erp_of:
            raise UnknownEntity(f"no ERP is configured for entity {entity!r}; add it to the books configuration")
        return self._erps[self._erp_of[entity]]

    def name_of(self, entity: str) -> str:
        return self._erp_of.get(entity, "")

    def late_policy(self, entity: str) -> LatePolicy:
        return self._late_policies.get(entity, LatePolicy.NEXT_OPEN)

    def presents_credit_balances(self, entity: str) -> bool:
        return entity in self._presenting

    def account_code(self, entity: str, account: AccountRole) -> str:
        chart = self._charts.get(entity)
        return chart.account_of(account) if chart else ""

    def named_books(self) -> Sequence[NamedBooks]:
        """How each entity's books are named, for the record."""
        return [
            _named(entity, books, self._charts[entity])
            for entity, books in sorted(self._configuration.entities.items())
        ]

    def names(self) -> Sequence[str]:
        return tuple(sorted(set(self._erp_of.values())))

    def entities(self) -> Sequence[str]:
        return tuple(self._erp_of)


class UnknownErpKind(ValueError):
    """The configuration names an ERP for which there is no adapter."""


def _named(entity: str, books: EntityBooks, chart: Chart) -> NamedBooks:
    return NamedBooks(
        entity=entity,
        erp=books.erp,
        company=books.company,
        accounts=_mapped({role.value: code for role, code in chart.accounts.items()}),
        parties=_mapped(chart.parties),
        dimensions=_mapped({dimension.value: told for dimension, told in chart.dimensions.items()}),
    )


def _mapped(codes: Mapping[str, str]) -> tuple[MappedCode, ...]:
    return tuple(MappedCode(ours=ours, theirs=theirs) for ours, theirs in sorted(codes.items()))


def _books_at(configuration: BooksConfiguration, erp: str) -> Mapping[str, Books]:
    return {
        entity: Books(
            entity=entity, company=books.company, journal=books.journal, chart=configuration.charts[books.chart]
        )
        for entity, books in configuration.entities.items()
        if books.erp == erp
    }


def load_books(path: Path) -> BooksConfiguration:
    """The configuration of a JSON file, its paths made absolute.

    Raises:
        pydantic.ValidationError: a role without an account, two roles on one account, an unknown ERP or chart.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    for settings in content.get("erps", {}).values():
        for name in ("connection_file", "folder"):
            if settings.get(name):
                settings[name] = str(path.parent / settings[name])
    return BooksConfiguration.model_validate(content)
