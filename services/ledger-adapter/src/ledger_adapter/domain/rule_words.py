"""The posting rules in an accountant's words, by the code that a line names and the account that it is on."""

from __future__ import annotations

from canonical.codes import AccountRole

from ledger_adapter.domain.posting_rules import GIVEN_CODE, REVERSAL_CODE, REVISED_CODE, RULES, TAKEN_CODE

_SPECIAL = {
    REVERSAL_CODE: "reversal by the payer: the mirror of what its decision booked",
    REVISED_CODE: "charges corrected or voided: the mirror of what they booked",
    TAKEN_CODE: "provider-level adjustment that lowered the payment",
    GIVEN_CODE: "provider-level adjustment that raised the payment",
}


def words_of(code: str, account: AccountRole) -> str:
    """What the rule books on this account; all that it may be where several facts share the code."""
    if code in _SPECIAL:
        return _SPECIAL[code]
    facts = [fact.value for fact, rule in RULES.items() if rule.code == code and account in (rule.debit, rule.credit)]
    return "; ".join(facts) or f"rule {code}, which is no longer in use"
