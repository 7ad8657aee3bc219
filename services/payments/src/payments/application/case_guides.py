"""What a person may do about each case of payments: why it waits, its evidence, and the commands."""

from __future__ import annotations

from chassis.exceptions.guides import Action, CaseGuide, Guides
from chassis.inbound.refused_files import REFUSED_FILE

from payments.application.doors import ACH_CHANGED, ACH_RETURNED, OtherContent
from payments.application.gateway_orders import REFUSED, UNCERTAIN
from payments.application.gateway_questions import NO_SUCH_OBJECT
from payments.application.overpayments import OWED_BACK
from payments.application.patient_money import DISPUTE_OPEN, OVERDRAWN, REFUND_FAILED
from payments.application.payer_credits import PAYER_CREDIT, TAKEN_BACK
from payments.application.payment_plans import MISSED
from payments.application.payouts import CAME_BACK
from payments.application.ports import UnreadableEvent
from payments.application.reactions import CONFLICT
from payments.application.remittance_effects import SUSPECTED_DUPLICATE, UNEXPLAINED
from payments.application.tying import DIFFERS, LOOSE_DEPOSIT, UNDEPOSITED
from payments.application.use_cases import UNMATCHED
from payments.domain.card_numbers import CardNumberSeen
from payments.domain.payout import PayoutDiffers, PayoutUnreadable
from payments.domain.remittance import NegativePayment, RemittanceUnbalanced

WRITE, APPROVE = "payments.write", "payments.approve"
OVERPAYMENT_DAYS = 60
_TRACE = "throughline trace {case}"
_PAYMENT, _REFUNDS = "throughline payments show {subject}", "throughline payments refunds --payment {subject}"
_TIE = Action(
    "tie",
    "Tie deposits and remittances that belong together, to the cent.",
    "throughline remit tie --deposit DEPOSIT --remittance REMITTANCE",
    WRITE,
)
_MATCH = Action("match", "Say whose payment it is.", "throughline payments match {subject} ACCOUNT", WRITE)
_REFUND = Action("refund", "Ask to give it back.", "throughline payments refund {subject} AMOUNT --reason WHY", WRITE)
_CANCEL = Action(
    "cancel",
    "Give the account the cash back; refund it another way then.",
    "throughline payments cancel REFUND",
    APPROVE,
)
_PAID = Action(
    "paid", "Note that the refund was paid by hand.", "throughline payments paid REFUND --reference NUMBER", WRITE
)
_AGAIN = Action(
    "send-again",
    "The gateway has not done it: send it again.",
    "throughline payments decide {subject} --again",
    APPROVE,
)
_GIVE_UP = Action(
    "give-up", "The gateway will never do it: end it.", "throughline payments decide {subject} --give-up", APPROVE
)
_RETURNED = Action(
    "returned",
    "Say that it was refunded by check, or taken back by the payer, and by what evidence.",
    "throughline overpayments move {subject} returned AMOUNT --evidence WHAT",
    APPROVE,
)
_IDENTIFY = Action(
    "identify",
    "Say that it is an overpayment, of how much and by what; the sixty days run from then.",
    "throughline overpayments identify ENTITY PAYER {subject} AMOUNT --reason WHY --evidence WHAT",
    WRITE,
)
_WITHDRAWN = Action(
    "withdraw",
    "Say that it is not owed back any more, by the payer's own reversal.",
    "throughline overpayments move {subject} withdrawn AMOUNT --evidence REMITTANCE",
    APPROVE,
)
_SUBMIT = Action(
    "submit",
    "Put the mended file, or the one that the bank sent anew, in.",
    "throughline submit FILE",
    "exchange folder",
)

_OF_PATIENTS: Guides = {
    UNMATCHED: CaseGuide(
        "A payment came and nothing tells whose it is; it is kept as unapplied cash.",
        (_PAYMENT, _TRACE),
        (_MATCH, _REFUND),
        by_two=True,
    ),
    REFUND_FAILED: CaseGuide(
        "The gateway could not pay a refund; it is still owed to the patient.",
        (_REFUNDS, _TRACE),
        (_CANCEL, _PAID),
        by_two=True,
    ),
    OVERDRAWN: CaseGuide(
        "More went back to the payer than was paid; somebody has to ask for it. It ends once that is no longer so.",
        (_PAYMENT, _REFUNDS, _TRACE),
        by_two=True,
    ),
    DISPUTE_OPEN: CaseGuide(
        "The payer disputes a payment; evidence is given at the gateway until its day. It ends by itself once it is decided.",
        ("throughline payments disputes --payment {subject}", _PAYMENT, _TRACE),
        within_days=7,
        by_two=True,
    ),
    MISSED: CaseGuide(
        "An instalment of a payment plan was not paid. It ends by itself once the plan is kept again, or has ended.",
        ("throughline balance {subject}",),
        within_days=10,
    ),
}
_OF_GATEWAYS: Guides = {
    UNCERTAIN: CaseGuide(
        "An order was sent to the gateway, and nobody knows whether it was done. Look at the gateway before deciding.",
        ("throughline payments orders --in uncertain", "throughline replay payments {subject}", _TRACE),
        (_AGAIN, _GIVE_UP),
        within_days=1,
        by_two=True,
    ),
    REFUSED: CaseGuide(
        "The gateway refused an order; its reason says what to mend.",
        ("throughline replay payments {subject}", _TRACE),
        (_AGAIN, _GIVE_UP),
        within_days=2,
        by_two=True,
    ),
    PayoutDiffers.__name__: CaseGuide(
        "A payout is not the sum of what our books have of it. It ends by itself once it is.",
        (_TRACE,),
        within_days=2,
        by_two=True,
    ),
    PayoutUnreadable.__name__: CaseGuide(
        "The gateway does not tell what a payout is made of in words that we know. It ends by itself once it does.",
        (_TRACE,),
        within_days=2,
        by_two=True,
    ),
    CAME_BACK: CaseGuide(
        "The bank sent a payout back; its money is in the gateway's balance. It ends by itself once it is paid out anew.",
        (_TRACE,),
        within_days=2,
        by_two=True,
    ),
    NO_SUCH_OBJECT: CaseGuide("A message names an object that the gateway does not have.", (_TRACE,), within_days=2),
    UnreadableEvent.__name__: CaseGuide(
        "An event of the gateway cannot be read; its bytes are kept. The gateway's own page tells what it is of.",
        (_TRACE,),
        within_days=1,
        by_two=True,
    ),
    CardNumberSeen.__name__: CaseGuide(
        "A number of a card or bank account came where none may stand; it was masked, and the rest was kept.",
        (_TRACE,),
        within_days=1,
    ),
    OtherContent.__name__: CaseGuide(
        "A message came again under its id with other content; the first stands.", (_TRACE,), within_days=2, by_two=True
    ),
}
_OF_BANKS_AND_PAYERS: Guides = {
    LOOSE_DEPOSIT: CaseGuide(
        "Money is at the bank and nothing explains it. It ends by itself once its remittance or payout comes.",
        (_TRACE, "throughline remit list --waiting"),
        (_TIE,),
        by_two=True,
    ),
    UNDEPOSITED: CaseGuide(
        "A payer says that it paid, and the money is not at the bank. It ends by itself once the deposit comes.",
        (_TRACE, "throughline remit show {subject}"),
        (_TIE,),
        by_two=True,
    ),
    DIFFERS: CaseGuide(
        "A deposit and the remittance of its trace number differ, so neither was tied.",
        (_TRACE, "throughline remit list --waiting"),
        (_TIE,),
        by_two=True,
    ),
    ACH_RETURNED: CaseGuide(
        "The bank returned an entry; whoever was to be paid, or had paid, has to be asked.", (_TRACE,), by_two=True
    ),
    ACH_CHANGED: CaseGuide(
        "The bank tells a change of account data; mend it where the entry was ordered.", (_TRACE,), within_days=6
    ),
    REFUSED_FILE: CaseGuide(
        "A file of the bank was not taken; nothing of it is booked. Its name and the rule that it broke stand above.",
        (),
        (_SUBMIT,),
        within_days=1,
        by_two=True,
    ),
    "message": CaseGuide(
        "A message or a bank file came and was not taken; its bytes are kept, and the rule that it broke stands above.",
        (_TRACE,),
        (_SUBMIT,),
        within_days=1,
        by_two=True,
    ),
    CONFLICT: CaseGuide(
        "A payer sent a trace number again with other content; the first stands.",
        (_TRACE, "throughline remit show {subject}"),
        by_two=True,
    ),
    SUSPECTED_DUPLICATE: CaseGuide(
        "A payer sent the same content under two trace numbers. Both are booked; only one may be paid.",
        (_TRACE, "throughline remit show {subject}"),
        by_two=True,
    ),
    UNEXPLAINED: CaseGuide(
        "A payer took money back, and nothing that is open explains it. It ends by itself once a remittance does.",
        (_TRACE, "throughline remit balances --open"),
        by_two=True,
    ),
    PAYER_CREDIT: CaseGuide(
        "A payer has paid twice for the same charges of a claim, and reversed nothing. It ends by itself once the payer takes it back.",
        ("throughline overpayments proposed", "throughline claim show {subject}"),
        (_IDENTIFY,),
        by_two=True,
    ),
    OWED_BACK: CaseGuide(
        "A payer paid too much; it is to be returned by the sixtieth day after somebody knew.",
        ("throughline replay payments {subject}", _TRACE),
        (_RETURNED,),
        within_days=OVERPAYMENT_DAYS,
        by_two=True,
    ),
    TAKEN_BACK: CaseGuide(
        "A payer reversed what is still shown as owed back to it. Return nothing of that; it ends by itself with the last cent withdrawn.",
        ("throughline replay payments {subject}", _TRACE),
        (_WITHDRAWN,),
        within_days=1,
        by_two=True,
    ),
    RemittanceUnbalanced.__name__: CaseGuide(
        "A remittance does not add up, so nothing of it is booked.", (_TRACE,), within_days=1, by_two=True
    ),
    NegativePayment.__name__: CaseGuide(
        "A remittance says that it pays less than nothing, so nothing of it is booked.",
        (_TRACE,),
        within_days=1,
        by_two=True,
    ),
}
GUIDES: Guides = {**_OF_PATIENTS, **_OF_GATEWAYS, **_OF_BANKS_AND_PAYERS}
