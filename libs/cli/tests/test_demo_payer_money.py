"""What two people work of payers' money in the demo is keyed as the paper says, and told in plain words."""

from __future__ import annotations

import json
from datetime import date

from canonical.money import Money
from sandbox.world.known_world import sandbox_master_data
from throughline.demo.payer_money import INTEREST, WorkedByTwo, content_of, letter_of

DAY = date(2026, 3, 2)


def test_the_letter_is_keyed_with_interest_that_comes_to_the_check_at_the_bank() -> None:
    known = sandbox_master_data()
    payer, entity = known.payer("ACME", DAY), known.entity("NORTH", DAY)
    letter = letter_of(payer, entity)
    keyed = json.loads(content_of(letter, payer, entity, DAY))
    (interest,) = keyed["provider_adjustments"]
    assert Money.parse_wire(keyed["payment"]) == -Money.parse_wire(interest["amount"]) == INTEREST
    assert letter.addendum == f"TRN*1*{keyed['trace_number']}*{keyed['payer_identifier']}\\"
    assert (keyed["claims"], interest["reason"], interest["provider"]) == ([], "L6", entity.npi)


def test_work_of_two_says_who_could_not_finish_it_and_who_did() -> None:
    told = WorkedByTwo("a check was keyed", "operator", "CheckerIsMaker", "approver").in_words()
    assert told == "a check was keyed: operator could not finish it alone (CheckerIsMaker); approver did"
