"""The books behind the Finance double: journals that were imported and wait, and what was posted of them.

Importing and posting are two things: an import leaves a journal behind that posts nothing until somebody posts it, here the
recurring job that posts journals. Amounts are whole cents.
"""

from __future__ import annotations

import calendar
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import count

from sandbox.world.misbehaviour import Fault, Misbehaviour

MAIN_ACCOUNT = "MainAccount"
VOUCHER_LENGTH_MAX = 20
POSTED = "GeneralJournal"


@dataclass(frozen=True)
class FinancePlan:
    """What an administrator has set up, in each legal entity alike.

    `dimension_format` is the ledger dimension integration format: which segment stands where in an account's string. `values` are
    those of each dimension; `wants` names, by main account, the dimension that its account structure does not go without. A legal
    entity's code has four characters; `company_length_max` lets a world in which they are longer be told all the same.
    """

    main_accounts: Sequence[str]
    dimension_format: Sequence[str] = (MAIN_ACCOUNT,)
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    wants: Mapping[str, str] = field(default_factory=dict)
    companies: Sequence[str] = ("NRTH", "SUTH")
    delimiter: str = "|"
    journal_name: str = "TL"
    currency: str = "USD"
    years: Sequence[int] = (2026, 2027)
    company_length_max: int = 4


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a journal, its account as segments by dimension."""

    number: int
    voucher: str
    day: date
    segments: Mapping[str, str]
    cents: int


@dataclass(slots=True)
class Journal:
    """What an import has made; `error` is why the posting job left it."""

    batch: str
    company: str
    lines: list[Line]
    posted: bool = False
    error: str = ""


@dataclass(slots=True)
class Voucher:
    """A posted document: a header and its lines."""

    key: int
    company: str
    journal_number: str
    batch: str
    voucher: str
    day: date
    lines: list[Line]
    shown_from: int


@dataclass(slots=True)
class Period:
    """One period of the fiscal calendar, as the ledger of one legal entity holds it."""

    company: str
    year: str
    name: str
    start: date
    end: date
    kind: str = "Operating"
    status: str = "Open"

    def holds(self, company: str, day: date) -> bool:
        return self.company == company and self.kind == "Operating" and self.start <= day <= self.end


class FinanceBooks:
    """One environment's data. Questions for posted documents are counted, so that some may be hidden from the next ones."""

    def __init__(self, plan: FinancePlan, misbehaviour: Misbehaviour) -> None:
        too_long = [company for company in plan.companies if len(company) > plan.company_length_max]
        if too_long:
            raise ValueError(f"a legal entity has at most {plan.company_length_max} characters: {', '.join(too_long)}")
        self.plan = plan
        self.lock = threading.RLock()
        self.journals: dict[str, Journal] = {}
        self.vouchers: list[Voucher] = []
        self.periods = [period for company in plan.companies for year in plan.years for period in _year(company, year)]
        self._misbehaviour = misbehaviour
        self._batches = count(1)
        self._keys = count(5637144576)
        self._asked = 0

    def add_journal(self, company: str, lines: Sequence[Line]) -> Journal:
        """A new journal under the next batch number; nothing is posted."""
        with self.lock:
            journal = Journal(f"{company}-{next(self._batches):06}", company, list(lines))
            self.journals[journal.batch] = journal
            return journal

    def post_journals(self) -> int:
        """The recurring job: posts each journal whole, or leaves it with its error; how many it posted."""
        with self.lock:
            waiting = [journal for journal in self.journals.values() if not journal.posted]
            for journal in waiting:
                journal.error = self._objection(journal)
                if not journal.error:
                    self._post(journal)
            return sum(journal.posted for journal in waiting)

    def shown_vouchers(self) -> list[Voucher]:
        """What one question is shown."""
        with self.lock:
            self._asked += 1
            return [voucher for voucher in self.vouchers if voucher.shown_from <= self._asked]

    def _objection(self, journal: Journal) -> str:
        used = {(voucher.company, voucher.voucher, voucher.day.year) for voucher in self.vouchers}
        sums: dict[tuple[str, date], int] = {}
        for line in journal.lines:
            sums[line.voucher, line.day] = sums.get((line.voucher, line.day), 0) + line.cents
        for (voucher, day), cents in sums.items():
            if cents:
                return f"The transactions on voucher {voucher} do not balance as per {day}."
            if (journal.company, voucher, day.year) in used:
                return f"Voucher {voucher} is already used as at date {day}."
            if not any(period.holds(journal.company, day) and period.status == "Open" for period in self.periods):
                return f"Fiscal period for {day} is not open."
        return ""

    def _post(self, journal: Journal) -> None:
        lag = self._misbehaviour.strike(Fault.READ_LAG, POSTED)
        shown_from = self._asked + lag.measure + 1 if lag else 0
        vouchers: dict[tuple[str, date], list[Line]] = {}
        for line in journal.lines:
            vouchers.setdefault((line.voucher, line.day), []).append(line)
        for (voucher, day), lines in vouchers.items():
            key = next(self._keys)
            self.vouchers.append(
                Voucher(key, journal.company, f"GJ{key % 10**8:08}", journal.batch, voucher, day, lines, shown_from)
            )
        journal.posted = True


def _year(company: str, year: int) -> list[Period]:
    """The months of a calendar year, and a closing period on its last day."""
    months = [
        Period(
            company,
            str(year),
            f"Period {month}",
            date(year, month, 1),
            date(year, month, calendar.monthrange(year, month)[1]),
        )
        for month in range(1, 13)
    ]
    return [*months, Period(company, str(year), "Period 13", date(year, 12, 31), date(year, 12, 31), kind="Closing")]
