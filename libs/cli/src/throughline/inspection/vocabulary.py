"""What the codes of X12 mean in the words of an explanation."""

from __future__ import annotations

SET_KINDS = {
    "270": "question whether a patient is covered",
    "271": "answer whether a patient is covered",
    "276": "question how claims stand",
    "277": "answer how claims stand",
    "278": "request or answer about an authorization",
    "820": "premium payment",
    "834": "enrolment of members",
    "835": "remittance advice",
    "837": "batch of claims",
    "997": "acknowledgement of a group of messages",
    "999": "acknowledgement of a group of messages",
}
CLAIM_STATUSES = {
    "1": "processed as primary",
    "2": "processed as secondary",
    "3": "processed as tertiary",
    "4": "denied",
    "19": "processed as primary and forwarded",
    "20": "processed as secondary and forwarded",
    "21": "processed as tertiary and forwarded",
    "22": "reversal of an earlier payment",
    "23": "not this payer's, forwarded",
    "25": "predetermination, nothing is paid",
}
PROVIDER_ADJUSTMENTS = {
    "50": "late charge",
    "72": "refund acknowledged",
    "AP": "acceleration of benefits",
    "B2": "rebate",
    "CS": "adjustment",
    "CV": "capital pass-through",
    "E3": "withhold",
    "FB": "balance forwarded",
    "IR": "levy of the tax office",
    "J1": "not reimbursable",
    "L6": "interest",
    "LE": "levy",
    "WO": "overpayment recovered",
}
PAYMENT_METHODS = {
    "ACH": "by bank transfer",
    "CHK": "by check",
    "FWT": "by wire",
    "BOP": "as the bank chooses",
    "NON": "without moving money",
}
VERDICTS = {
    "accepted": "Everything in it adds up and can be used.",
    "quarantined": "It can be read, but what is quarantined is kept aside, and nothing of it is posted until a person has looked.",
    "refused": "It, or a part of it, cannot be used at all; nothing of what is refused is posted.",
}
CONSEQUENCES = {
    "note": "This changes nothing.",
    "quarantine": "Because of this it is quarantined.",
    "refuse": "Because of this it is refused.",
}
