"""Where each entity's books are kept locally: both at the real Tryton, or in files where there is no ERP."""

from __future__ import annotations

import json
from pathlib import Path

from canonical.codes import AccountRole, Dimension, PayerClass
from canonical.master_data import MasterData
from sandbox.folders import private_folder, write_private
from sandbox.servers.tryton_plan import AnalyticDimension, LegalEntity, PayerParty, TrytonPlan

ACCOUNTS = {
    AccountRole.CASH: "1000",
    AccountRole.EFT_CLEARING: "1010",
    AccountRole.GATEWAY_CLEARING: "1020",
    AccountRole.FRONT_DESK_CLEARING: "1030",
    AccountRole.AR_PAYER: "1100",
    AccountRole.AR_PAYER_DENIED: "1110",
    AccountRole.AR_PATIENT: "1120",
    AccountRole.AR_ALLOWANCE: "1190",
    AccountRole.UNAPPLIED_PATIENT: "2100",
    AccountRole.UNAPPLIED_PAYER: "2110",
    AccountRole.UNIDENTIFIED_RECEIPTS: "2120",
    AccountRole.GROSS_REVENUE: "4000",
    AccountRole.CONTRACTUAL_ALLOWANCE: "4100",
    AccountRole.PROCESSING_FEES: "6100",
    AccountRole.SEQUESTRATION: "4110",
    AccountRole.DENIAL_WRITE_OFF: "4120",
    AccountRole.DUE_TO_PAYER: "2130",
    AccountRole.INTEREST_INCOME: "4200",
    AccountRole.LEVIES_WITHHELD: "1200",
    AccountRole.PAYER_WITHHOLDS: "1210",
    AccountRole.PROVIDER_ADJUSTMENTS: "4130",
    AccountRole.REFUNDS_PAYABLE: "2140",
    AccountRole.REFUNDS_PAYABLE_PAYER: "2150",
    AccountRole.DISPUTES_RECEIVABLE: "1220",
    AccountRole.DISPUTE_FEES: "6110",
    AccountRole.CHARITY_CARE: "4140",
    AccountRole.SMALL_BALANCE: "4150",
    AccountRole.BAD_DEBT: "6200",
    AccountRole.PRICE_CONCESSION: "4160",
    AccountRole.CONCESSION_ALLOWANCE: "1195",
    AccountRole.CREDIT_BALANCES: "2160",
}

DIMENSIONS = {Dimension.PAYER_CLASS: "PAYER-CLASS", Dimension.DEPARTMENT: "DEPARTMENT"}
"""What the local Tryton tells income and expense apart by: its root of analytic accounts for each."""


def tryton_plan(master_data: MasterData) -> TrytonPlan:
    """The ERP's companies and parties: our entities, and our payers as customers."""
    return TrytonPlan(
        entities=tuple(LegalEntity(entity.code, entity.name) for entity in master_data.entities),
        payers=tuple(PayerParty(payer.code, payer.name) for payer in master_data.payers),
        dimensions=(
            AnalyticDimension(DIMENSIONS[Dimension.PAYER_CLASS], tuple(each.value for each in PayerClass)),
            AnalyticDimension(
                DIMENSIONS[Dimension.DEPARTMENT], tuple(sorted({each.code for each in master_data.departments}))
            ),
        ),
    )


def erp_configuration(
    folder: Path, tryton_info: Path | None, erp_url: str, entities: tuple[str, ...]
) -> dict[str, str]:
    """Writes the books configuration into the state folder; the settings that name it. `erp_url` may be a proxy's."""
    chart: dict[str, object] = {"accounts": {role.value: code for role, code in ACCOUNTS.items()}}
    if tryton_info is None:
        private_folder(folder / "file-erp")
        erps: dict[str, object] = {"local": {"kind": "file", "folder": "file-erp"}}
    else:
        connection = json.loads(tryton_info.read_text(encoding="utf-8"))
        if erp_url:
            connection["base_url"] = erp_url
        write_private(folder / "erp-connection.json", json.dumps(connection))
        erps = {"local": {"kind": "tryton", "connection_file": "erp-connection.json"}}
        chart["dimensions"] = {dimension.value: root for dimension, root in DIMENSIONS.items()}
    books = {
        "erps": erps,
        "charts": {"standard": chart},
        "entities": {entity: {"erp": "local", "company": entity, "chart": "standard"} for entity in entities},
    }
    write_private(folder / "books.json", json.dumps(books, indent=2))
    return {"BOOKS_PATH": str(folder / "books.json")}
