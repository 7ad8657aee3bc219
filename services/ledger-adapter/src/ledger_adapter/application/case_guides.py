"""What a person may do about each case of the ledger adapter: why it waits, its evidence, and the commands."""

from __future__ import annotations

from chassis.exceptions.guides import Action, CaseGuide, Guides

from ledger_adapter.application.drafting import SUM_DIFFERS
from ledger_adapter.application.exchanging import ERP_DIFFERS, SENT_ELSEWHERE
from ledger_adapter.application.ports import RefusalKind, UnknownEntity
from ledger_adapter.domain.posting_rules import UnmappedAdjustment, UnmappedProviderAdjustment

WRITE = "ledger.write"
_TRACE, _HISTORY = "throughline trace {case}", "throughline replay ledger {subject}"
_RESUME = Action(
    "resume",
    "Let the entry go on, once its cause is mended at the ERP; it is asked for before it is sent.",
    "POST /v1/ledger/journals/{subject}:resume",
    WRITE,
)
_NO_RULE = "A payer adjusted for a reason that has no posting rule, so its journal waits. It is booked by itself once the service runs with one."

GUIDES: Guides = {
    RefusalKind.PERIOD_CLOSED.value: CaseGuide(
        "The ERP's period is closed. Open it there, then let the entry go on.",
        (_TRACE, _HISTORY),
        (_RESUME,),
        within_days=2,
        by_two=True,
    ),
    RefusalKind.NUMBER_TAKEN.value: CaseGuide(
        "The ERP has another document under our number. Look there whose it is.",
        (_TRACE, _HISTORY),
        (_RESUME,),
        within_days=1,
        by_two=True,
    ),
    RefusalKind.INVALID.value: CaseGuide(
        "The ERP refused a journal; its own words stand above.",
        (_TRACE, _HISTORY),
        (_RESUME,),
        within_days=1,
        by_two=True,
    ),
    RefusalKind.UNCLASSIFIED.value: CaseGuide(
        "The ERP answered with an error that nobody has understood yet, so nothing is tried again by itself.",
        (_TRACE, _HISTORY),
        (_RESUME,),
        within_days=1,
        by_two=True,
    ),
    ERP_DIFFERS: CaseGuide(
        "The ERP holds the journal otherwise than it was sent.",
        (_TRACE, _HISTORY),
        (_RESUME,),
        within_days=1,
        by_two=True,
    ),
    SENT_ELSEWHERE: CaseGuide(
        "The journal was on its way to an ERP when its entity moved to another, where it is not sent: that might book it twice. "
        "Configure the earlier ERP for the entity until it is confirmed there; it goes on by itself.",
        (_TRACE, _HISTORY),
        within_days=1,
        by_two=True,
    ),
    SUM_DIFFERS: CaseGuide(
        "What is to be posted of a remittance is not what the payer announced, so nothing of it is journalled.",
        (_TRACE, _HISTORY),
        within_days=1,
        by_two=True,
    ),
    UnknownEntity.__name__: CaseGuide(
        "Journals of a legal entity wait: no ERP is configured for it. They go on by themselves once there is one.",
        within_days=1,
        by_two=True,
    ),
    UnmappedAdjustment.__name__: CaseGuide(_NO_RULE, (_TRACE,), within_days=2, by_two=True),
    UnmappedProviderAdjustment.__name__: CaseGuide(_NO_RULE, (_TRACE,), within_days=2, by_two=True),
}
