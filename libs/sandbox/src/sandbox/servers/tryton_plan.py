"""What the local ERP holds from its first day: legal entities, chart of accounts, fiscal years, payers."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path


class AccountKind(StrEnum):
    """Where an account stands in the statements."""

    ASSET = "asset"
    RECEIVABLE = "receivable"
    LIABILITY = "liability"
    PAYABLE = "payable"
    REVENUE = "revenue"
    EXPENSE = "expense"


@dataclass(frozen=True, slots=True)
class ChartAccount:
    """One account of every entity's chart; a receivable or payable one takes no line without a party."""

    code: str
    name: str
    kind: AccountKind

    @property
    def party_required(self) -> bool:
        """Whether each line must name a party."""
        return self.kind in (AccountKind.RECEIVABLE, AccountKind.PAYABLE)


INTEGRATION_USER = "throughline"
"""The ERP user in whose name the integration posts; it has no password, only a key."""

CHART: tuple[ChartAccount, ...] = (
    ChartAccount("1000", "Cash", AccountKind.ASSET),
    ChartAccount("1010", "EFT clearing", AccountKind.ASSET),
    ChartAccount("1020", "Gateway clearing", AccountKind.ASSET),
    ChartAccount("1030", "Front desk clearing", AccountKind.ASSET),
    ChartAccount("1100", "Accounts receivable, payer", AccountKind.RECEIVABLE),
    ChartAccount("1110", "Accounts receivable, payer, denied", AccountKind.RECEIVABLE),
    ChartAccount("1120", "Accounts receivable, patient", AccountKind.RECEIVABLE),
    ChartAccount("1190", "Allowance against accounts receivable", AccountKind.ASSET),
    ChartAccount("1195", "Allowance for price concessions", AccountKind.ASSET),
    ChartAccount("1200", "Levies withheld by payers", AccountKind.ASSET),
    ChartAccount("1210", "Amounts withheld by payers", AccountKind.ASSET),
    ChartAccount("1220", "Disputes receivable", AccountKind.ASSET),
    ChartAccount("2000", "Accounts payable", AccountKind.PAYABLE),
    ChartAccount("2100", "Unapplied cash, patient", AccountKind.LIABILITY),
    ChartAccount("2110", "Unapplied cash, payer", AccountKind.LIABILITY),
    ChartAccount("2120", "Unidentified receipts", AccountKind.LIABILITY),
    ChartAccount("2130", "Due to payers", AccountKind.LIABILITY),
    ChartAccount("2140", "Refunds payable to patients", AccountKind.LIABILITY),
    ChartAccount("2150", "Refunds payable to payers", AccountKind.LIABILITY),
    ChartAccount("2160", "Credit balances of receivables at the end of a period", AccountKind.LIABILITY),
    ChartAccount("4000", "Gross patient service revenue", AccountKind.REVENUE),
    ChartAccount("4100", "Contractual allowance", AccountKind.REVENUE),
    ChartAccount("4110", "Sequestration", AccountKind.REVENUE),
    ChartAccount("4120", "Denial write-off", AccountKind.REVENUE),
    ChartAccount("4130", "Provider-level adjustments", AccountKind.REVENUE),
    ChartAccount("4140", "Charity care", AccountKind.REVENUE),
    ChartAccount("4150", "Small balances", AccountKind.REVENUE),
    ChartAccount("4160", "Implicit price concessions", AccountKind.REVENUE),
    ChartAccount("4200", "Interest from payers", AccountKind.REVENUE),
    ChartAccount("6100", "Processing fees", AccountKind.EXPENSE),
    ChartAccount("6110", "Dispute fees", AccountKind.EXPENSE),
    ChartAccount("6200", "Bad debt", AccountKind.EXPENSE),
)


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """A company of the ERP."""

    code: str
    name: str

    @property
    def patient_party_code(self) -> str:
        """The one party under which all patients of this entity owe."""
        return f"PATIENTS-{self.code}"


@dataclass(frozen=True, slots=True)
class PayerParty:
    """A payer as a customer of the ERP."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class AnalyticDimension:
    """A root of analytic accounts in every company, and the accounts below it: what lines of the income statement are told apart by."""

    code: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrytonPlan:
    """Everything that is set up once. The same plan is the same template."""

    entities: tuple[LegalEntity, ...] = (
        LegalEntity("NORTH", "Northside Clinic LLC"),
        LegalEntity("SOUTH", "Southside Hospital Inc"),
    )
    payers: tuple[PayerParty, ...] = ()
    dimensions: tuple[AnalyticDimension, ...] = ()
    years: tuple[int, ...] = (2026, 2027)

    def to_json(self) -> str:
        """The plan as text; equal plans give equal text."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "TrytonPlan":
        """The plan that `to_json` wrote."""
        content = json.loads(text)
        return cls(
            entities=tuple(LegalEntity(**entity) for entity in content["entities"]),
            payers=tuple(PayerParty(**payer) for payer in content["payers"]),
            dimensions=tuple(AnalyticDimension(each["code"], tuple(each["values"])) for each in content["dimensions"]),
            years=tuple(content["years"]),
        )


@dataclass(frozen=True, slots=True)
class TrytonEntity:
    """The ids by which one legal entity is addressed."""

    company_id: int
    journal_id: int
    accounts: Mapping[str, int]
    """Account code to id."""
    parties: Mapping[str, int]
    """Party code to id: the payers and this entity's patient-receivable party."""
    patient_party_code: str


@dataclass(frozen=True, slots=True)
class TrytonInfo:
    """All that a client of the local ERP needs."""

    base_url: str
    database: str
    api_key: str
    entities: Mapping[str, TrytonEntity]

    def to_json(self) -> str:
        """As text; it holds secrets."""
        return json.dumps(asdict(self), indent=2, sort_keys=True)

    @classmethod
    def read(cls, path: Path) -> "TrytonInfo":
        """From the private file in the state folder."""
        content = json.loads(path.read_text(encoding="utf-8"))
        entities = {code: TrytonEntity(**entity) for code, entity in content.pop("entities").items()}
        return cls(**content, entities=entities)
