"""How the fields of a stored event are shown to a person who looks at a history."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.codes import AccountRole
from canonical.journal import JournalLine
from canonical.money import Money
from chassis.rpc.operations import unsealed_view


def test_money_dates_codes_and_ids_are_shown_in_their_json_forms() -> None:
    fields = {
        "lines": (JournalLine(account=AccountRole.BAD_DEBT, amount=Money(-1205), payer_class="self-pay"),),
        "on": date(2026, 6, 1),
        "id": UUID(int=7),
        "residual": None,
    }
    assert unsealed_view(fields) == {
        "lines": [
            {
                "account": "bad-debt",
                "amount": "-12.05 USD",
                "party": "",
                "payer_class": "self-pay",
                "department": "",
                "cost_center": "",
                "location": "",
            }
        ],
        "on": "2026-06-01",
        "id": "00000000-0000-0000-0000-000000000007",
        "residual": None,
    }
