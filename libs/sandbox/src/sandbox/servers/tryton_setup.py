"""Sets up an empty Tryton database by a plan, in a process of its own: `python -m sandbox.servers.tryton_setup`.

It reads {database_uri, config_file, plan} as JSON from standard input and prints the ids of what it made as JSON. What it
makes holds no secret, so that it can be kept as a template: the integration's key is added for each suite.
Tryton is licensed under the GPL and runs in this process and in its server's, never in ours.
"""

import datetime
import json
import sys
from dataclasses import asdict
from decimal import Decimal
from typing import Any, TypeAlias

from proteus import Model
from proteus import config as proteus_config

from sandbox.servers.tryton_plan import (
    CHART,
    INTEGRATION_USER,
    AccountKind,
    AnalyticDimension,
    LegalEntity,
    TrytonEntity,
    TrytonPlan,
)

Record: TypeAlias = Any

TYPE_FLAGS: dict[AccountKind, dict[str, object]] = {
    AccountKind.ASSET: {"statement": "balance", "assets": True},
    AccountKind.RECEIVABLE: {"statement": "balance", "assets": True, "receivable": True},
    AccountKind.LIABILITY: {"statement": "balance"},
    AccountKind.PAYABLE: {"statement": "balance", "payable": True},
    AccountKind.REVENUE: {"statement": "income", "revenue": True},
    AccountKind.EXPENSE: {"statement": "income", "expense": True},
}


def set_up(plan: TrytonPlan) -> dict[str, TrytonEntity]:
    """Make companies, charts, fiscal years, parties and the integration's user; give their ids by entity."""
    currency = _new("currency.currency", name="US dollar", code="USD", symbol="$", rounding=Decimal("0.01"))
    _new("currency.currency.rate", currency=currency, rate=Decimal(1), date=datetime.date(2000, 1, 1))
    journal = _new("account.journal", name="Throughline", code="TL", type="general")
    payers = {payer.code: _new("party.party", name=payer.name, code=payer.code).id for payer in plan.payers}
    companies = {entity.code: _company(entity, currency) for entity in plan.entities}
    _grant(_admin(), list(companies.values()))
    entities = {}
    for entity in plan.entities:
        company = companies[entity.code]
        with proteus_config.get_config().set_context(company=company.id):
            entities[entity.code] = _entity(entity, company, journal, payers, plan.years)
            for dimension in plan.dimensions:
                _analytic_accounts(company, dimension)
    integration = _new("res.user", name="Throughline", login=INTEGRATION_USER)
    integration.groups.extend(_accounting_groups())
    _grant(integration, list(companies.values()))
    return entities


def _entity(
    entity: LegalEntity, company: Record, journal: Record, payers: dict[str, int], years: tuple[int, ...]
) -> TrytonEntity:
    accounts = _chart(company)
    patients = _new("party.party", name=f"Patients of {entity.name}", code=entity.patient_party_code)
    for year in years:
        _fiscal_year(company, year)
    return TrytonEntity(
        company_id=company.id,
        journal_id=journal.id,
        accounts=accounts,
        parties={**payers, entity.patient_party_code: patients.id},
        patient_party_code=entity.patient_party_code,
    )


def _new(model: str, **values: Any) -> Record:
    record = Model.get(model)(**values)
    record.save()
    return record


def _admin() -> Record:
    (admin,) = Model.get("res.user").find([("login", "=", "admin")])
    return admin


def _grant(user: Record, companies: list[Record]) -> None:
    user.companies.extend([Model.get("company.company")(company.id) for company in companies])
    user.company = companies[0]
    user.company_filter = "all"
    user.save()


def _accounting_groups() -> list[Record]:
    ModelData = Model.get("ir.model.data")  # noqa: N806
    names = ("account.group_account", "account.group_account_admin")
    return [Model.get("res.group")(ModelData.get_id(name, {})) for name in names]


def _company(entity: LegalEntity, currency: Record) -> Record:
    party = _new("party.party", name=entity.name, code=entity.code)
    return _new("company.company", party=party, currency=currency)


def _chart(company: Record) -> dict[str, int]:
    types = {
        kind: _new("account.account.type", name=f"{kind.value.capitalize()} accounts", company=company, **flags)
        for kind, flags in TYPE_FLAGS.items()
    }
    ids = {}
    for account in CHART:
        made = _new(
            "account.account",
            name=account.name,
            code=account.code,
            company=company,
            type=types[account.kind],
            party_required=account.party_required,
            reconcile=account.party_required,
        )
        ids[account.code] = int(made.id)
    return ids


def _analytic_accounts(company: Record, dimension: AnalyticDimension) -> None:
    common: dict[str, Any] = {"company": company, "state": "opened"}
    root = _new("analytic_account.account", name=dimension.code, code=dimension.code, type="root", **common)
    for value in dimension.values:
        _new("analytic_account.account", name=value, code=value, type="normal", root=root, parent=root, **common)


def _fiscal_year(company: Record, year: int) -> None:
    sequence = _sequence("Account Move", f"{company.party.code} journal {year}", company)
    fiscal_year = Model.get("account.fiscalyear")(
        name=str(year),
        company=company,
        start_date=datetime.date(year, 1, 1),
        end_date=datetime.date(year, 12, 31),
        move_sequence=sequence,
    )
    invoices = _sequence("Invoice", f"{company.party.code} invoices {year}", company)
    for row in fiscal_year.invoice_sequences:
        row.out_invoice_sequence = row.in_invoice_sequence = invoices
        row.out_credit_note_sequence = row.in_credit_note_sequence = invoices
    fiscal_year.save()
    fiscal_year.click("create_period")


def _sequence(type_name: str, name: str, company: Record) -> Record:
    (kind,) = Model.get("ir.sequence.type").find([("name", "=", type_name)], limit=1)
    return _new("ir.sequence.strict", name=name, sequence_type=kind, company=company)


def main() -> None:
    """Connect in-process, set up, print the ids."""
    order = json.load(sys.stdin)
    proteus_config.set_trytond(order["database_uri"], config_file=order["config_file"])
    plan = TrytonPlan.from_json(order["plan"])
    entities = set_up(plan)
    json.dump({code: asdict(entity) for code, entity in entities.items()}, sys.stdout)


if __name__ == "__main__":
    main()
