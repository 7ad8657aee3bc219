"""The ERPs that are put through the contract, each opened anew and closed again; a line of `QUICK` for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import count
from pathlib import Path

from canonical.codes import AccountRole, Dimension
from ledger_adapter.adapters.books import Books, Chart, load_books
from ledger_adapter.adapters.business_central import BusinessCentralErp
from ledger_adapter.adapters.business_central_client import BusinessCentralConnection
from ledger_adapter.adapters.fake_erp import ErpFault, FakeErp
from ledger_adapter.adapters.file_erp import FileErp
from ledger_adapter.adapters.finance import FinanceErp
from ledger_adapter.adapters.finance_client import FinanceConnection
from ledger_adapter.adapters.netsuite import NetSuiteErp
from ledger_adapter.adapters.netsuite_client import NetSuiteConnection
from ledger_adapter.domain.posting_rules import PATIENT_ACCOUNTS, PAYER_ACCOUNTS
from sandbox.erps.business_central import BATCH, BusinessCentralDouble
from sandbox.erps.business_central_books import BusinessCentralPlan
from sandbox.erps.finance import IMPORT, FinanceDouble
from sandbox.erps.finance_books import MAIN_ACCOUNT, POSTED, FinancePlan
from sandbox.erps.netsuite import NetSuiteDouble
from sandbox.erps.netsuite_books import RECEIVABLE, NetSuitePlan
from sandbox.world.misbehaviour import Fault, Misbehaviour

from .erp_contract import DECEMBER, MARCH, VALUES, ErpUnderTest, Trouble
from .legacy_erp import LegacyErp

SAMPLE = Path(__file__).parents[1] / "books.sample.json"
ENTITIES = ("NORTH", "SOUTH")


def sample_chart(dimensions: Mapping[Dimension, str] | None = None) -> Chart:
    """The chart of the sample configuration, keeping these dimensions under the ERP's names for them."""
    return load_books(SAMPLE).charts["standard"].model_copy(update={"dimensions": dimensions or {}})


def sample_books(dimensions: Mapping[Dimension, str] | None = None) -> Mapping[str, Books]:
    chart = sample_chart(dimensions)
    return {entity: Books(entity=entity, company=entity, journal="TL", chart=chart) for entity in ENTITIES}


_FAULTS = {
    Trouble.ANSWER_LOST: ErpFault.TIMEOUT_AFTER_WORK,
    Trouble.RESET_BEFORE_WORK: ErpFault.TIMEOUT_BEFORE_WORK,
    Trouble.RESET_WITHIN_BATCH: ErpFault.HALF_THE_BATCH,
    Trouble.SEEN_LATE: ErpFault.SEEN_LATE,
}


@contextmanager
def fake(folder: Path) -> Iterator[ErpUnderTest]:
    months = {(MARCH.year, MARCH.month), (DECEMBER.year, DECEMBER.month)}
    erp = FakeErp(told_months=months, kept_dimensions=frozenset(Dimension))
    yield ErpUnderTest(
        erp,
        lambda _, day: erp.closed_months.add((day.year, day.month)),
        ask_for=lambda trouble: erp.faults.append(_FAULTS[trouble]),
        is_met=lambda: not erp.faults,
    )


@contextmanager
def files(folder: Path) -> Iterator[ErpUnderTest]:
    erp, legacy = FileErp("legacy", folder, sample_books()), LegacyErp(folder)
    for company in ENTITIES:
        (folder / "balances" / f"{company}.csv").touch()

    def close_period(_: str, day: date) -> None:
        legacy.closed_months.add((day.year, day.month))

    yield ErpUnderTest(erp, close_period, legacy.run, restarted=lambda: FileErp("legacy", folder, sample_books()))


NETSUITE_FIELDS = {
    Dimension.PAYER_CLASS: "class",
    Dimension.DEPARTMENT: "department",
    Dimension.COST_CENTER: "cseg_cost_center",
    Dimension.LOCATION: "location",
}
NETSUITE_TROUBLES: Mapping[Trouble, tuple[Fault, int]] = {
    Trouble.ANSWER_LOST: (Fault.RESET_AFTER_WORK, 0),
    Trouble.ERROR_AFTER_WORK: (Fault.ERROR_AFTER_WORK, 0),
    Trouble.RESET_BEFORE_WORK: (Fault.RESET, 0),
    Trouble.RESET_WITHIN_BATCH: (Fault.RESET_AFTER_WORK, 2),
    Trouble.THROTTLED: (Fault.THROTTLE, 0),
    Trouble.THROTTLED_WITHIN_BATCH: (Fault.THROTTLE, 2),
    Trouble.ERROR_BEFORE_WORK: (Fault.SERVER_ERROR, 0),
}
"""Which fault a posting call of NetSuite then meets, and how many calls before it are spared."""


def netsuite_plan() -> NetSuitePlan:
    """An account that is set up for the sample chart and keeps every dimension."""
    receivable = PAYER_ACCOUNTS | PATIENT_ACCOUNTS
    accounts = sample_chart().accounts
    return NetSuitePlan(
        accounts={code: RECEIVABLE if role in receivable else "Other" for role, code in accounts.items()},
        segments={field: (VALUES[dimension], "OTHER") for dimension, field in NETSUITE_FIELDS.items()},
    )


def ask_netsuite_for(misbehaviour: Misbehaviour, trouble: Trouble) -> None:
    if trouble is Trouble.SEEN_LATE:
        misbehaviour.request(Fault.READ_LAG, target="Journal", times=6, measure=4)
        return
    fault, spared = NETSUITE_TROUBLES[trouble]
    misbehaviour.request(fault, target="POST /services/rest/record/v1/journalEntry", measure=0, spared=spared)


@contextmanager
def netsuite(folder: Path, *, jobs_from_lines: int = 0) -> Iterator[ErpUnderTest]:
    with NetSuiteDouble(netsuite_plan()) as double:
        double.api.holds_jobs = True
        path = double.write_connection(folder, jobs_from_lines=jobs_from_lines)

        def opened() -> NetSuiteErp:
            connection, clock = NetSuiteConnection.read(path), count(0, 60).__next__
            return NetSuiteErp("netsuite", connection, sample_books(NETSUITE_FIELDS), clock=clock)

        erp = opened()
        yield ErpUnderTest(
            erp,
            lambda _, day: double.close_period(day),
            double.api.run_jobs,
            lambda trouble: ask_netsuite_for(double.misbehaviour, trouble),
            lambda: not double.misbehaviour.open_requests,
            opened,
        )
        erp.close()


BUSINESS_CENTRAL_CODES = {
    Dimension.PAYER_CLASS: "PAYERCLASS",
    Dimension.DEPARTMENT: "DEPARTMENT",
    Dimension.COST_CENTER: "COSTCENTER",
    Dimension.LOCATION: "LOCATION",
}
BUSINESS_CENTRAL_TROUBLES: Mapping[Trouble, tuple[Fault, int]] = {
    Trouble.ANSWER_LOST: (Fault.TIMEOUT_AFTER_WORK, 1),
    Trouble.ERROR_AFTER_WORK: (Fault.ERROR_AFTER_WORK, 1),
    Trouble.RESET_BEFORE_WORK: (Fault.RESET, 0),
    Trouble.RESET_WITHIN_BATCH: (Fault.RESET_AFTER_WORK, 3),
    Trouble.THROTTLED: (Fault.THROTTLE, 0),
    Trouble.THROTTLED_WITHIN_BATCH: (Fault.THROTTLE, 3),
    Trouble.ERROR_BEFORE_WORK: (Fault.SERVER_ERROR, 1),
}
"""Which fault a batch of calls then meets, and how many batches before it are spared: they make journals and post them in turns."""


def business_central_plan() -> BusinessCentralPlan:
    """An environment that is set up for the sample chart: payers' lines reach them as customers, the patients' a dimension."""
    accounts = sample_chart().accounts
    values = {code: (VALUES[each].upper(), "OTHER") for each, code in BUSINESS_CENTRAL_CODES.items()}
    return BusinessCentralPlan(
        accounts=tuple(accounts.values()),
        customers=dict.fromkeys(("ACME", "MEDICARE"), accounts[AccountRole.AR_PAYER]),
        dimensions={**values, "PARTY": ("ACME", "MEDICARE", "PATIENTS-NORTH", "PATIENTS-SOUTH")},
        needs_dimension={accounts[role]: "PARTY" for role in PAYER_ACCOUNTS | PATIENT_ACCOUNTS},
    )


def ask_business_central_for(misbehaviour: Misbehaviour, trouble: Trouble) -> None:
    if trouble is Trouble.SEEN_LATE:
        misbehaviour.request(Fault.READ_LAG, times=6, measure=4)
        return
    fault, spared = BUSINESS_CENTRAL_TROUBLES[trouble]
    misbehaviour.request(fault, target=BATCH, measure=0, spared=spared)


@contextmanager
def business_central(folder: Path, *, customer_accounts: tuple[str, ...] = ()) -> Iterator[ErpUnderTest]:
    with BusinessCentralDouble(business_central_plan()) as double:
        more = {"documents_per_batch": 2, "deadline_seconds": 0.5, "customer_accounts": customer_accounts}
        connection = BusinessCentralConnection.read(double.write_connection(folder, **more))

        made: list[BusinessCentralErp] = []

        def adapter() -> BusinessCentralErp:
            made.append(BusinessCentralErp("business-central", connection, sample_books(BUSINESS_CENTRAL_CODES)))
            return made[-1]

        yield ErpUnderTest(
            adapter(),
            double.close_period,
            ask_for=lambda trouble: ask_business_central_for(double.misbehaviour, trouble),
            is_met=lambda: not double.misbehaviour.open_requests,
            restarted=adapter,
        )
        for erp in made:
            erp.close()


FINANCE_NAMES = {
    Dimension.PAYER_CLASS: "PayerClass",
    Dimension.DEPARTMENT: "Department",
    Dimension.COST_CENTER: "CostCenter",
    Dimension.LOCATION: "Location",
}
FINANCE_COMPANIES = {"NORTH": "NRTH", "SOUTH": "SUTH"}


def finance_books() -> Mapping[str, Books]:
    """The sample books; a legal entity's code has four characters at most."""
    books = sample_books(FINANCE_NAMES)
    return {entity: each.model_copy(update={"company": FINANCE_COMPANIES[entity]}) for entity, each in books.items()}


def finance_plan() -> FinancePlan:
    """An environment that is set up for the sample chart: receivables want a customer, and every dimension is kept."""
    accounts = sample_chart().accounts
    values = {name: (VALUES[dimension], "OTHER") for dimension, name in FINANCE_NAMES.items()}
    return FinancePlan(
        main_accounts=tuple(accounts.values()),
        dimension_format=(MAIN_ACCOUNT, "Customer", *values),
        values={**values, "Customer": ("ACME", "MEDICARE", "PATIENTS-NORTH", "PATIENTS-SOUTH")},
        wants={accounts[role]: "Customer" for role in PAYER_ACCOUNTS | PATIENT_ACCOUNTS},
    )


def ask_finance_for(misbehaviour: Misbehaviour, trouble: Trouble) -> None:
    if trouble is Trouble.SEEN_LATE:
        misbehaviour.request(Fault.READ_LAG, target=POSTED, times=6, measure=4)
        return
    fault, spared = NETSUITE_TROUBLES[trouble]
    misbehaviour.request(fault, target=IMPORT, measure=0, spared=spared)


@contextmanager
def finance(folder: Path) -> Iterator[ErpUnderTest]:
    with FinanceDouble(finance_plan()) as double:
        double.api.holds_imports = True
        path = double.write_connection(folder, deadline_seconds=0.3, unseen_seconds=0)
        made: list[FinanceErp] = []

        def adapter() -> FinanceErp:
            made.append(FinanceErp("finance", FinanceConnection.read(path), finance_books()))
            return made[-1]

        yield ErpUnderTest(
            adapter(),
            lambda entity, day: double.set_period(FINANCE_COMPANIES[entity], day, "OnHold"),
            double.run_jobs,
            lambda trouble: ask_finance_for(double.misbehaviour, trouble),
            lambda: not double.misbehaviour.open_requests,
            adapter,
        )
        for erp in made:
            erp.close()


@dataclass(frozen=True)
class Candidate:
    """How an ERP is opened for one promise, in a folder of its own, and which troubles it can be asked for."""

    open: Callable[[Path], AbstractContextManager[ErpUnderTest]]
    troubles: frozenset[Trouble] = frozenset()


QUICK: Mapping[str, Candidate] = {
    "fake": Candidate(fake, frozenset(_FAULTS)),
    "file": Candidate(files),
    "netsuite": Candidate(netsuite, frozenset(Trouble)),
    "business-central": Candidate(business_central, frozenset(Trouble)),
    "business-central-customers": Candidate(
        partial(business_central, customer_accounts=("1100",)), frozenset({Trouble.ANSWER_LOST})
    ),
    "finance": Candidate(finance, frozenset(Trouble)),
    "netsuite-jobs": Candidate(partial(netsuite, jobs_from_lines=1), frozenset(Trouble)),
}
