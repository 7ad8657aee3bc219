"""Every rule of the readers: its code, what follows by default, what it means to a person, and whether a partner's policy may ease it."""

from __future__ import annotations

from dataclasses import dataclass

from x12.findings import Severity

_NOTE, _QUARANTINE, _REFUSE = Severity.NOTE, Severity.QUARANTINE, Severity.REFUSE


@dataclass(frozen=True, slots=True)
class Rule:
    """`eases` says that a policy may make it a finding only; a rule that guards money or what is needed to post it never does."""

    code: str
    severity: Severity
    meaning: str
    eases: bool = False


_ENVELOPE = (
    Rule(
        "missing_isa", _QUARANTINE, "The file does not say who sent it to whom; it is shown, but nothing of it is used."
    ),
    Rule(
        "isa_not_fixed_width",
        _NOTE,
        "The header is shorter or longer than the standard's; it could be read all the same.",
        True,
    ),
    Rule(
        "isa13_not_a_number",
        _QUARANTINE,
        "Without a control number the file cannot be told from another, nor acknowledged.",
        True,
    ),
    Rule("not_production", _NOTE, "The sender calls this a test.", True),
    Rule(
        "se01_count",
        _QUARANTINE,
        "The sender counted other segments than are here: some may be lost, or the sender counts wrongly.",
        True,
    ),
    Rule("se02_control", _QUARANTINE, "Beginning and end of the set do not belong together.", True),
    Rule("ge01_count", _QUARANTINE, "The sender counted other sets than are here: some may be lost.", True),
    Rule("ge02_control", _QUARANTINE, "Beginning and end of the group do not belong together.", True),
    Rule("iea01_count", _QUARANTINE, "The sender counted other groups than are here: some may be lost.", True),
    Rule("iea02_control", _QUARANTINE, "Beginning and end of the interchange do not belong together.", True),
    Rule("gs01_type", _QUARANTINE, "The group announces another kind of message than it holds.", True),
    Rule("missing_gs", _QUARANTINE, "The message stands outside any group, so nobody vouches for its version."),
    Rule("missing_ge", _QUARANTINE, "The group does not end: what followed may be lost."),
    Rule("missing_se", _QUARANTINE, "The set does not end: what followed may be lost."),
    Rule("missing_iea", _QUARANTINE, "The interchange does not end: what followed may be lost."),
    Rule("truncated", _QUARANTINE, "The file was cut off; the sender has to send it again."),
    Rule("stray_segment", _QUARANTINE, "Something stands where nothing may stand; it belongs to no message."),
    Rule(
        "st02_not_unique",
        _QUARANTINE,
        "Two sets of one group have the same number, so an answer could not name one of them.",
    ),
    Rule("stopped", _REFUSE, "Reading had to stop; what follows is not known."),
    Rule("unsupported_type", _REFUSE, "This kind of message is not read."),
    Rule("unsupported_version", _REFUSE, "This version of the guide is not read."),
    Rule("version_4010", _QUARANTINE, "An 835 of version 4010 is read only from partners whose policy accepts it."),
    Rule("segment_over_limit", _REFUSE, "A segment is longer than anything real; the rest of it was not read."),
    Rule(
        "zero_byte",
        _REFUSE,
        "A segment holds a zero byte, which is no part of any text: what was meant is not known. Its set is refused, the others are read; in ISA or GS it costs all that they head.",
    ),
    Rule("set_over_limit", _REFUSE, "The set is larger than anything real; the rest of it was not read."),
)
_BALANCE = (
    Rule("line_unbalanced", _QUARANTINE, "Charge less adjustments of this service line is not what was paid for it."),
    Rule("claim_unbalanced", _QUARANTINE, "Charge less all adjustments of this claim is not what was paid for it."),
    Rule("line_charges", _QUARANTINE, "The charges of the claim's lines are not the charge of the claim."),
    Rule("line_payments", _QUARANTINE, "The payments of the claim's lines do not lead to the payment of the claim."),
    Rule("patient_responsibility", _QUARANTINE, "What the patient owes is told in two ways, and they differ."),
    Rule(
        "transaction_unbalanced",
        _QUARANTINE,
        "The payment is not the sum of the claims less the provider's adjustments.",
    ),
    Rule(
        "plb_explains",
        _NOTE,
        "The difference is exactly this provider adjustment, left out or taken with the wrong sign.",
        True,
    ),
    Rule("claim_charges", _QUARANTINE, "The charges of the claim's lines are not the charge of the claim."),
)
_REMITTANCE = (
    Rule("missing_bpr", _REFUSE, "There is no payment in this remittance."),
    Rule(
        "missing_trace", _REFUSE, "The payment has no number, so it cannot be found at the bank nor told from another."
    ),
    Rule("missing_payer", _QUARANTINE, "The remittance does not say who pays."),
    Rule("missing_payee", _QUARANTINE, "The remittance does not say who is paid."),
    Rule("unknown_party", _QUARANTINE, "A third party is named beside payer and payee.", True),
    Rule("repeated_segment", _QUARANTINE, "What may be said once is said twice; which one holds is not known."),
    Rule("bpr02_not_an_amount", _REFUSE, "The payment is not an amount."),
    Rule("bpr02_negative", _QUARANTINE, "The payment is below zero."),
    Rule("bpr03_unknown", _QUARANTINE, "It is not said whether money comes or goes."),
    Rule("bpr16_not_a_date", _QUARANTINE, "The payment has no day, so it cannot be booked."),
    Rule("currency", _REFUSE, "The amounts are not US dollars."),
    Rule("not_an_amount", _QUARANTINE, "Where an amount must stand, none can be read."),
    Rule("missing_patient_control_number", _QUARANTINE, "The claim does not say which of ours it is."),
    Rule("unknown_status", _QUARANTINE, "What the payer did with the claim is not known to the standard."),
    Rule("cas_head", _QUARANTINE, "The adjustment is of no known group, or has no reason and amount."),
    Rule("cas_triplet", _QUARANTINE, "An adjustment lacks its reason or its amount."),
    Rule("plb_head", _QUARANTINE, "The provider adjustment lacks its provider or its date."),
    Rule("plb_pairs", _QUARANTINE, "The provider adjustment has no pair, or too many."),
    Rule("plb_pair", _QUARANTINE, "A provider adjustment lacks its reason or its amount."),
    Rule("unknown_segment", _QUARANTINE, "The segment is not part of a remittance; it may carry money."),
    Rule("misplaced_segment", _QUARANTINE, "The segment stands where it may not; what it belongs to is not sure."),
    Rule(
        "component_separator",
        _NOTE,
        "The sender declares one separator and uses another; it could be read all the same.",
        True,
    ),
    Rule("not_a_date", _NOTE, "A date is not one of the calendar.", True),
    Rule("amount_not_read", _NOTE, "An amount that no sum needs cannot be read.", True),
    Rule("npi_check_digit", _NOTE, "The number given for an NPI cannot be one; who is meant may not be found.", True),
    Rule(
        "unknown_name", _NOTE, "A name of a kind that a remittance does not have; it is treated as a patient's.", True
    ),
    Rule("repeated_name", _NOTE, "A name of one kind stands twice in the claim.", True),
    Rule(
        "status_moves_no_money",
        _NOTE,
        "A forwarded or predetermined claim carries a payment, which it should not.",
        True,
    ),
)
_OTHERS = (
    Rule("claim_head", _QUARANTINE, "The claim has no number, or its charge is not an amount."),
    Rule("unknown_level", _QUARANTINE, "A level of the hierarchy is of no known kind."),
    Rule("missing_ak1", _REFUSE, "The acknowledgement does not say what it acknowledges."),
    Rule("missing_ak9", _REFUSE, "The acknowledgement does not say how it ends."),
    Rule("ak9_counts", _QUARANTINE, "The counts of the acknowledgement are no counts."),
    Rule("segment_not_read", _NOTE, "A segment has no place here; nothing of it is used.", True),
    Rule("status", _QUARANTINE, "A status has no code, or what stands for its amount is none."),
    Rule("claim_status", _QUARANTINE, "The answer names no claim, or says nothing of it."),
    Rule("eligibility_trace", _QUARANTINE, "The answer does not say which question it answers."),
    Rule("eligibility_benefit", _QUARANTINE, "What the patient would owe cannot be read."),
    Rule("undecided", _NOTE, "The answer neither accepts nor rejects the claim.", True),
)
RULES = {rule.code: rule for rule in (*_ENVELOPE, *_BALANCE, *_REMITTANCE, *_OTHERS)}


def meaning_of(code: str) -> str:
    """What a finding means to a person; empty for the code of a limit."""
    return RULES[code].meaning if code in RULES else ""
