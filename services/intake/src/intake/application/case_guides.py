"""What a person may do about each case of intake: why it waits, its evidence, and the commands."""

from __future__ import annotations

from chassis.exceptions.guides import Action, CaseGuide, Guides
from chassis.inbound.refused_files import REFUSED_FILE

from intake.application.held_codes import UNMAPPED_CODE
from intake.application.held_payers import OTHER_COVERAGE
from intake.application.judging_files import UNBALANCED, UNKNOWN_PAYEE, UNKNOWN_PAYER, UNUSABLE
from intake.application.merging import MERGED_AGAINST_DECISION
from intake.application.receiving_files import INTERCHANGE_REUSED
from intake.application.reprocessing_files import READ_DIFFERENTLY
from intake.application.taking_charges import (
    CANCELLED_CHARGES,
    CHARGED_AGAIN,
    CREDIT_ABOVE_CHARGE,
    CREDIT_WITHOUT_CHARGE,
)
from intake.application.taking_money import ADJUSTMENT_CASE
from intake.application.taking_reports import NOT_ITS_ENTITY, UNPLACED
from intake.domain.patient_match import CASE_CODES

WRITE, REPROCESS, PEOPLE = "intake.write", "intake.reprocess", "intake.patients.write"
_TRACE, _HISTORY = "throughline trace {case}", "throughline replay intake {subject}"
_REREAD = Action(
    "reprocess",
    "Read its kept bytes again, once the reader or the master data is mended.",
    "throughline reprocess --message {subject}",
    REPROCESS,
)
_SUBMIT = Action("submit", "Put the mended file in.", "throughline submit FILE", "exchange folder")
_PROPOSE = Action(
    "propose",
    "Add the code to the master data; another person approves.",
    "throughline master-data propose FILE --reason WHY",
    "master-data.write",
)
_RELEASE = Action(
    "release", "Bill it, once what holds it is mended.", "POST /v1/intake/encounters/{subject}:release", WRITE
)
_MERGE = Action(
    "merge", "Say that they are one person.", "throughline patient merge RETIRED SURVIVOR --reason WHY", PEOPLE
)
_DISTINCT = Action(
    "distinct", "Say that they are two, for good.", "throughline patient distinct PATIENT OTHER --reason WHY", PEOPLE
)
_UNMERGE = Action("unmerge", "Take the merge back.", "throughline patient unmerge PATIENT OTHER --reason WHY", PEOPLE)

_OF_PAYERS: Guides = {
    UNBALANCED: CaseGuide(
        "A remittance does not add up, so nothing of it went on. Ask its payer for a right one.",
        (_TRACE,),
        (_SUBMIT, _REREAD),
        within_days=2,
        by_two=True,
    ),
    UNUSABLE: CaseGuide(
        "A remittance cannot be used as it is, so nothing of it went on.",
        (_TRACE,),
        (_SUBMIT, _REREAD),
        within_days=2,
        by_two=True,
    ),
    UNKNOWN_PAYER: CaseGuide(
        "A payer is not in the master data; what names it waits.",
        (_TRACE,),
        (_PROPOSE, _REREAD),
        within_days=2,
        by_two=True,
    ),
    UNKNOWN_PAYEE: CaseGuide(
        "A remittance pays an entity that is not in the master data.",
        (_TRACE,),
        (_PROPOSE, _REREAD),
        within_days=2,
        by_two=True,
    ),
    INTERCHANGE_REUSED: CaseGuide(
        "A sender used the number of an interchange again for other content; what is new in it was taken.",
        (_TRACE,),
        within_days=5,
        by_two=True,
    ),
    READ_DIFFERENTLY: CaseGuide(
        "Read again, a remittance says something else than what was booked of it; nothing was changed.",
        (_TRACE,),
        (_REREAD,),
        within_days=2,
        by_two=True,
    ),
    UNPLACED: CaseGuide(
        "A platform reports money of nothing that we know, so it is not booked.",
        (_TRACE,),
        (_REREAD,),
        within_days=2,
        by_two=True,
    ),
    NOT_ITS_ENTITY: CaseGuide(
        "A platform reports on an entity whose claims it does not work.", (_TRACE,), within_days=2, by_two=True
    ),
}
_OF_CHARGES: Guides = {
    "encounter": CaseGuide(
        "Charges of a visit are held: what is missing or wrong stands above. They go on by themselves once it is mended.",
        (_TRACE,),
        (_RELEASE, _PROPOSE),
        within_days=3,
        by_two=True,
    ),
    UNMAPPED_CODE: CaseGuide(
        "A source used a code that means nothing to us; charges wait for it and go on by themselves once it is there.",
        ("throughline crosswalk held",),
        (_PROPOSE,),
        within_days=3,
        by_two=True,
    ),
    CREDIT_WITHOUT_CHARGE: CaseGuide(
        "A credit came for a charge that never did. It ends by itself once the charge comes.",
        (_TRACE,),
        within_days=10,
        by_two=True,
    ),
    CREDIT_ABOVE_CHARGE: CaseGuide(
        "More was credited than was charged; the charge stands at nothing.", (_TRACE,), by_two=True
    ),
    CHARGED_AGAIN: CaseGuide(
        "A charge came again after it was credited; it stays credited. Where it is billed after all, the source says it as a correction.",
        (_TRACE,),
        by_two=True,
    ),
    CANCELLED_CHARGES: CaseGuide(
        "A cancelled visit has charges; they are not billed. It ends by itself once the source opens it again.",
        (_TRACE,),
        by_two=True,
    ),
    OTHER_COVERAGE: CaseGuide(
        "Another coverage is known than the one that was billed, or that one was of another patient; what was billed stands.",
        (_TRACE,),
        by_two=True,
    ),
    ADJUSTMENT_CASE: CaseGuide("The source adjusted money; nothing is booked of it by itself.", (_TRACE,), by_two=True),
}
_OF_PEOPLE: Guides = {
    **dict.fromkeys(
        CASE_CODES.values(),
        CaseGuide(
            "Two patients may be one person, or an identifier says so and their details do not. Dismissing says that they are two.",
            ("throughline patient matches", _HISTORY),
            (_MERGE, _DISTINCT),
        ),
    ),
    MERGED_AGAINST_DECISION: CaseGuide(
        "A source merged two patients of whom a person had said that they are two.",
        ("throughline patient matches", _HISTORY),
        (_UNMERGE, _MERGE),
    ),
}
_OF_MESSAGES: Guides = {
    "inbound-message": CaseGuide(
        "A message was received and could not be taken; its bytes are kept, and the rule that it broke stands above.",
        (_TRACE,),
        (_REREAD, _SUBMIT),
        within_days=2,
        by_two=True,
    ),
    REFUSED_FILE: CaseGuide(
        "A file was not taken; nothing of it went on. Its name and the rule that it broke stand above.",
        (),
        (_SUBMIT,),
        within_days=1,
        by_two=True,
    ),
}
GUIDES: Guides = {**_OF_PAYERS, **_OF_CHARGES, **_OF_PEOPLE, **_OF_MESSAGES}
