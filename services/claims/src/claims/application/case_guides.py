"""What a person may do about each case of claims: why it waits, its evidence, and the commands."""

from __future__ import annotations

from chassis.exceptions.guides import Action, CaseGuide, Guides

from claims.application.asking_status import NOT_ASKED_CASE
from claims.application.comparing_balances import DIFFERS_CASE
from claims.application.contracts import UNDERPAID_CASE
from claims.application.judging import DUPLICATE_CASE, OVER_ADJUDICATED_CASE
from claims.application.matching import UNKNOWN_PAYMENT_CASE
from claims.application.next_claims import PRIMARY_CHANGED_CASE, UNKNOWN_NEXT_CASE
from claims.application.revising import NO_NUMBER_CASE, PASSED_ON_CASE, VOIDED_CASE
from claims.application.sending import UNSENT_CASE
from claims.application.use_cases import (
    HELD_CASE,
    INQUIRY_REFUSED_CASE,
    INTERCHANGE_REJECTED_CASE,
    REJECTED_CASE,
    STATUS_CASE,
)
from claims.application.watching_platforms import SILENT_CASE
from claims.application.working_denials import DEADLINE_CASE

WRITE = "claims.write"
_SHOW, _TRACE = "throughline claim show {subject}", "throughline trace {case}"
_HISTORY = "throughline replay claims {subject}"
_EDIT = Action(
    "edit", "See what the edits say of the claim now.", "throughline claim edit {subject} --dry-run", "claims.read"
)
_RELEASE = Action(
    "release", "Let it go on, once what held it is mended.", "POST /v1/claims/claims/{subject}:release", WRITE
)
_REPLACE = Action(
    "replace", "Send the claim anew in its place.", "throughline claim replace {subject} --reason WHY", WRITE
)
_VOID = Action("void", "Take the claim back at the payer.", "throughline claim void {subject} --reason WHY", WRITE)
_COVERAGE = Action(
    "coverage", "Ask the payer whether the patient is covered.", "throughline claim coverage {subject} --refresh", WRITE
)
_MATCH = Action(
    "match", "Say of which claim it is.", "throughline remit match REMITTANCE POSITION CLAIM --reason WHY", WRITE
)
_APPEAL = Action(
    "work",
    "Note an appeal, a call, or what else was done.",
    "throughline denials work {subject} --action ACTION --note NOTE",
    WRITE,
)
_WRITE_OFF = Action(
    "write-off",
    "Ask to give it up; another person approves.",
    "throughline denials write-off {subject} --reason WHY",
    WRITE,
)

_OF_CLAIMS: Guides = {
    HELD_CASE: CaseGuide(
        "A claim may not be sent as it is. It goes on by itself once its encounter or the master data is mended.",
        (_SHOW, _TRACE),
        (_EDIT, _RELEASE),
        within_days=3,
    ),
    REJECTED_CASE: CaseGuide(
        "The payer or clearinghouse did not take a claim; it was never judged, so it is mended and sent again, not appealed.",
        (_SHOW, "throughline claim history {subject}"),
        (_REPLACE, _COVERAGE),
        within_days=3,
        by_two=True,
    ),
    STATUS_CASE: CaseGuide(
        "The payer says of a claim that it needs something.", (_SHOW, _HISTORY), (_REPLACE, _COVERAGE), within_days=5
    ),
    NOT_ASKED_CASE: CaseGuide(
        "The payer cannot be asked where the claim stands; somebody has to ask by telephone or at its portal.",
        (_SHOW, _HISTORY),
        within_days=10,
    ),
    UNDERPAID_CASE: CaseGuide(
        "The payer allowed less than its contract says. It ends by itself once it pays the rest.",
        (_SHOW, _TRACE),
        within_days=30,
        by_two=True,
    ),
    OVER_ADJUDICATED_CASE: CaseGuide(
        "Payers decided more of a claim than was charged. It ends by itself once a reversal takes the excess back.",
        (_SHOW, _TRACE),
        by_two=True,
    ),
    DUPLICATE_CASE: CaseGuide(
        "A payer paid the same claim twice alike. Both are booked; where it was one, the money is owed back.",
        (_SHOW, _TRACE),
        by_two=True,
    ),
    NO_NUMBER_CASE: CaseGuide(
        "A claim has to be replaced or taken back, and the payer has not told its number. It ends by itself once it does.",
        (_SHOW, _HISTORY),
        within_days=10,
    ),
    VOIDED_CASE: CaseGuide("Charges came for a claim that was taken back.", (_SHOW, _TRACE), (_REPLACE,), by_two=True),
    PASSED_ON_CASE: CaseGuide(
        "Charges of a claim changed after its payer had passed it on to the next.",
        (_SHOW, _TRACE),
        (_REPLACE, _VOID),
        by_two=True,
    ),
    PRIMARY_CHANGED_CASE: CaseGuide(
        "What the first payer decided changed after the next one was billed.",
        (_SHOW, _TRACE),
        (_REPLACE, _VOID),
        by_two=True,
    ),
    UNKNOWN_NEXT_CASE: CaseGuide(
        "A payer passed a claim on to one that the master data does not know.", (_SHOW, _HISTORY), by_two=True
    ),
    DEADLINE_CASE: CaseGuide(
        "A denied claim can be worked until a day that is near.",
        ("throughline denials show {subject}",),
        (_APPEAL, _WRITE_OFF),
        within_days=7,
        by_two=True,
    ),
    DIFFERS_CASE: CaseGuide(
        "A platform holds another open balance of a claim than we do. It ends by itself once they agree.",
        (_SHOW, _TRACE),
        by_two=True,
    ),
}
_OF_SENDING: Guides = {
    UNSENT_CASE: CaseGuide(
        "Claims could not be sent as things are; they are tried again by themselves.",
        (_HISTORY,),
        within_days=1,
        by_two=True,
    ),
    INTERCHANGE_REJECTED_CASE: CaseGuide(
        "The receiver refused a whole interchange; each of its claims is rejected.", (_HISTORY,), within_days=1
    ),
    INQUIRY_REFUSED_CASE: CaseGuide("The payer refused our questions where claims stand.", (_HISTORY,), within_days=5),
    SILENT_CASE: CaseGuide(
        "A platform has not said anything for too long. It ends by itself once it does.", (_HISTORY,), within_days=1
    ),
    UNKNOWN_PAYMENT_CASE: CaseGuide(
        "A payer paid a claim that we do not know; it is kept as unapplied cash of the payer.",
        ("throughline remit unmatched", _HISTORY),
        (_MATCH,),
        by_two=True,
    ),
}
GUIDES: Guides = {**_OF_CLAIMS, **_OF_SENDING}
