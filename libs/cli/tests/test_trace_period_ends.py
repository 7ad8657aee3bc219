"""The origin of a credit balance that was shown at the end of a period is the ledger's own posting."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from canonical.money import Money
from throughline.tracing.period_end_origins import DRAFTED, PeriodEndOrigins
from throughline.tracing.records import Line, Part
from throughline.tracing.stored_facts import OriginMissing


@dataclass
class Kept:
    """Knows the lines of one posting."""

    lines: list[dict[str, str]]
    asked: list[str] = field(default_factory=list)

    def events(self, service: str, aggregate_id: str) -> list[tuple[str, dict[str, object]]]:
        self.asked.append(aggregate_id)
        return [(DRAFTED, {"lines": self.lines, "encounter_id": "e1"})] if service == "ledger" else []


def part(amount: int) -> Part:
    line = Line("ar-payer", "ACME", Money(amount))
    return Part("p1", "g1", line, "J25", "2026-03-31", "g1", -1, "", "e1")


@pytest.mark.parametrize(("amount", "told"), [(500, "shown as owed"), (-500, "taken back")])
def test_a_credit_balance_is_explained_by_its_own_posting(amount: int, told: str) -> None:
    lines = [
        {"account": "ar-payer", "amount": str(Money(amount))},
        {"account": "credit-balances", "amount": str(Money(-amount))},
    ]
    origin = PeriodEndOrigins(Kept(lines)).of_credit_balance(part(amount), "NORTH")  # type: ignore[arg-type]
    assert origin.explains(part(amount).line)
    assert told in origin.story[0]
    assert origin.story[1] == "of e1"


def test_another_posting_is_no_credit_balance() -> None:
    lines = [{"account": "cash", "amount": "5.00 USD"}, {"account": "gateway-clearing", "amount": "-5.00 USD"}]
    with pytest.raises(OriginMissing):
        PeriodEndOrigins(Kept(lines)).of_credit_balance(part(500), "NORTH")  # type: ignore[arg-type]
