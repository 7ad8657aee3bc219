"""What each list of master data is: its rows, what tells two of them apart, what they refer to, and who may change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
)

MONEY_KINDS = frozenset(("payer", "plan", "entity", "department"))
"""The crosswalks that decide who pays, or in whose books a charge stands."""
CROSSWALK_TARGETS: Mapping[str, str] = {
    "payer": "payers",
    "plan": "plans",
    "provider": "providers",
    "location": "locations",
    "department": "departments",
    "entity": "entities",
}
"""The list that the rows of a kind of crosswalk lead to; those of other kinds lead to code sets outside."""


@dataclass(frozen=True, slots=True)
class MasterDataList:
    """`name` is the field of `MasterData`. Two rows with the same `key` never hold on one day.

    `refers` names by field the list whose codes it takes; lists in `where_stated` are only asked if they have rows.
    """

    name: str
    row: type[Dated]
    about: str
    key: tuple[str, ...] = ("code",)
    refers: Mapping[str, str] = field(default_factory=dict)
    where_stated: frozenset[str] = frozenset()
    takes_two_people: bool = False

    def needs_another(self, row: Dated) -> bool:
        """Whether money follows the row, so that who proposes it cannot approve it."""
        return self.takes_two_people or (isinstance(row, Crosswalk) and row.kind in MONEY_KINDS)

    def key_of(self, row: Dated) -> tuple[str, ...]:
        """What tells the row from others of its list, but for the day it begins."""
        values = (getattr(row, name) for name in self.key)
        return tuple(";".join(value) if isinstance(value, tuple) else str(value) for value in values)


_ALL = (
    MasterDataList("entities", Entity, "Legal entities.", takes_two_people=True),
    MasterDataList("payers", Payer, "Payers.", takes_two_people=True),
    MasterDataList(
        "plans", Plan, "Plans of payers.", ("code", "payer"), refers={"payer": "payers"}, takes_two_people=True
    ),
    MasterDataList("providers", Provider, "Who renders services."),
    MasterDataList("locations", Location, "Where services are rendered.", refers={"entity": "entities"}),
    MasterDataList(
        "departments",
        Department,
        "Departments, and where they book.",
        refers={"entity": "entities", "cost_center": "cost_centers"},
        where_stated=frozenset(("cost_centers",)),
        takes_two_people=True,
    ),
    MasterDataList("cost_centers", CostCenter, "Cost centers.", refers={"entity": "entities"}, takes_two_people=True),
    MasterDataList("crosswalks", Crosswalk, "Codes of the sources in ours.", ("source", "kind", "code")),
    MasterDataList(
        "fee_schedules",
        FeeScheduleRow,
        "What payers' contracts allow.",
        ("payer", "plan", "code", "modifiers"),
        refers={"payer": "payers", "plan": "plans"},
        where_stated=frozenset(("plans",)),
        takes_two_people=True,
    ),
    MasterDataList("trading_partners", TradingPartner, "Who sends X12, and what of it is a finding."),
    MasterDataList("source_clients", SourceClient, "Clients, and the sources they speak for."),
    MasterDataList(
        "charge_master",
        ChargeMasterRow,
        "Prices of charges.",
        ("code", "department"),
        refers={"department": "departments"},
        takes_two_people=True,
    ),
    MasterDataList(
        "price_concessions",
        PriceConcession,
        "What of patients' shares is not expected to be paid.",
        ("entity", "payer_class", "from_days"),
        refers={"entity": "entities"},
        takes_two_people=True,
    ),
    MasterDataList(
        "dunning_steps",
        DunningStepRow,
        "How patients are asked to pay.",
        ("entity", "code"),
        refers={"entity": "entities"},
        takes_two_people=True,
    ),
)
LISTS: Mapping[str, MasterDataList] = {each.name: each for each in _ALL}


def list_called(name: str) -> MasterDataList | None:
    """The list of that name, whether it is written with `-` or with `_`."""
    return LISTS.get(name.strip().lower().replace("-", "_"))
