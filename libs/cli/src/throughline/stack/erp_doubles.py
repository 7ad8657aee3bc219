"""The simulated ERPs set up for the sandbox's world: its entities as companies, its payers as customers, and its chart."""

from __future__ import annotations

from canonical.codes import AccountRole
from canonical.master_data import MasterData
from sandbox.erps.business_central_books import BusinessCentralPlan
from sandbox.erps.finance_books import MAIN_ACCOUNT, FinancePlan
from sandbox.erps.netsuite_books import RECEIVABLE, NetSuitePlan

from throughline.stack.erp_configuration import ACCOUNTS

PARTY_DIMENSION = "PARTY"
CUSTOMER_DIMENSION = "Customer"
RECEIVABLES = (AccountRole.AR_PAYER, AccountRole.AR_PAYER_DENIED, AccountRole.AR_PATIENT)


def netsuite_plan(master_data: MasterData) -> NetSuitePlan:
    """An account whose subsidiaries are our entities."""
    return NetSuitePlan(
        accounts={code: RECEIVABLE if role in RECEIVABLES else "Other" for role, code in ACCOUNTS.items()},
        subsidiaries=[entity.code for entity in master_data.entities],
        customers=parties_of(master_data),
    )


def business_central_plan(master_data: MasterData) -> BusinessCentralPlan:
    """An environment whose companies are our entities; a receivable tells its party by a dimension."""
    return BusinessCentralPlan(
        accounts=tuple(ACCOUNTS.values()),
        companies=[entity.code for entity in master_data.entities],
        dimensions={PARTY_DIMENSION: parties_of(master_data)},
        needs_dimension={ACCOUNTS[role]: PARTY_DIMENSION for role in RECEIVABLES},
    )


def finance_plan(master_data: MasterData) -> FinancePlan:
    """An environment whose legal entities are our entities; the account structure of receivables wants a customer."""
    return FinancePlan(
        main_accounts=tuple(ACCOUNTS.values()),
        dimension_format=(MAIN_ACCOUNT, CUSTOMER_DIMENSION),
        values={CUSTOMER_DIMENSION: parties_of(master_data)},
        wants={ACCOUNTS[role]: CUSTOMER_DIMENSION for role in RECEIVABLES},
        companies=[entity.code for entity in master_data.entities],
        company_length_max=max(len(entity.code) for entity in master_data.entities),
    )


def parties_of(master_data: MasterData) -> list[str]:
    """The codes under which receivables are kept: each payer, and the patients of each entity as one."""
    patients = [f"PATIENTS-{entity.code}" for entity in master_data.entities]
    return [*(payer.code for payer in master_data.payers), *patients]
