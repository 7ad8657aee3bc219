"""The report on one file in sentences: what it is, what adds up, what is wrong and where, and what that means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from canonical.money import Money
from x12.findings import Finding, Severity, Verdict
from x12.inspection import Inspection, InterchangeInspection, PaymentInspection, SetInspection
from x12.rules import meaning_of

from throughline.inspection.places import Place, places_of_envelope, places_of_set
from throughline.inspection.quoting import Quote
from throughline.inspection.vocabulary import (
    CLAIM_STATUSES,
    CONSEQUENCES,
    PAYMENT_METHODS,
    PROVIDER_ADJUSTMENTS,
    SET_KINDS,
    VERDICTS,
)

INTERCHANGES_EXPLAINED_MAX = 50
SETS_EXPLAINED_MAX = 50
_STATUS_RESPONSE = "005010X212"


def explained(name: str, inspection: Inspection, quotes: Mapping[int, Quote], findings_max: int) -> Iterator[str]:
    """The lines of the explanation. At most `findings_max` findings of each interchange's envelope and of each set."""
    yield f"{name}: {inspection.verdict.value}. {VERDICTS[inspection.verdict]}"
    if inspection.refusal:
        yield f"Reading stopped at byte {inspection.refusal.offset}: {inspection.refusal.message}."
    if inspection.outside_bytes:
        yield f"{inspection.outside_bytes} bytes belong to no interchange; they are kept, but nobody can say what they are."
    for interchange in inspection.interchanges[:INTERCHANGES_EXPLAINED_MAX]:
        yield ""
        yield from _interchange(interchange, quotes, findings_max)
    left = len(inspection.interchanges) - INTERCHANGES_EXPLAINED_MAX
    if left > 0:
        yield f"And {left} more interchanges; `throughline x12 inspect --json` has them all."


def _interchange(interchange: InterchangeInspection, quotes: Mapping[int, Quote], findings_max: int) -> Iterator[str]:
    yield _heading(interchange)
    for answer in interchange.acknowledgements:
        meaning = {"A": "accepts", "E": "accepts with errors", "R": "rejects"}.get(answer.code, "answers")
        yield f"  A TA1 {meaning} our interchange {answer.control_number} (note {answer.note_code})."
    places = places_of_envelope(interchange)
    if places:
        yield "  The envelope:"
        yield from _findings(places, quotes, findings_max, "  ")
    for found in interchange.transaction_sets[:SETS_EXPLAINED_MAX]:
        yield ""
        yield from _transaction_set(interchange, found, quotes, findings_max)
    left = len(interchange.transaction_sets) - SETS_EXPLAINED_MAX
    if left > 0:
        yield f"  And {left} more transaction sets."


def _heading(interchange: InterchangeInspection) -> str:
    if not interchange.control_number and not interchange.sender:
        return "Segments without an interchange around them:"
    purpose = "" if interchange.usage == "P" else ", which the sender calls a test"
    parties = f"from {interchange.sender} to {interchange.receiver}"
    count = _counted(len(interchange.transaction_sets), "transaction set")
    return f"Interchange {interchange.control_number} {parties}, of {_day(interchange.date)}{purpose}: {count}."


def _day(text: str) -> str:
    return f"20{text[:2]}-{text[2:4]}-{text[4:]}" if len(text) == 6 and text.isdigit() else text


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _transaction_set(
    interchange: InterchangeInspection, found: SetInspection, quotes: Mapping[int, Quote], findings_max: int
) -> Iterator[str]:
    kind = SET_KINDS.get(found.type, "message of a kind that is not known here")
    article = "an" if kind[0] in "aeiou" else "a"
    yield (
        f"  Set {found.control_number} is {article} {kind} ({found.type} {found.version}".rstrip()
        + f"): {found.verdict.value}."
    )
    if found.payment:
        yield from _remittance(found, found.payment)
    elif "CLM02" in found.sums:
        yield f"    {_counted(found.claims, 'claim')} with {_counted(found.lines, 'line')}, {found.sums['CLM02'].decimal_text} charged."
        yield (
            "    The lines add up to their claims."
            if not found.residual
            else "    Not every claim is the sum of its lines."
        )
    elif found.claims or found.statuses:
        yield f"    {_answer(found)}"
    places = places_of_set(interchange, found)
    if found.verdict is not Verdict.ACCEPTED and all(each.severity is Severity.NOTE for each in found.findings):
        yield "    The set itself is sound; it stands in an envelope that is not."
    elif not places:
        yield "    Nothing is wrong with it."
    yield from _findings(places, quotes, findings_max, "    ")
    if found.findings_omitted:
        yield f"    And {found.findings_omitted} more findings of the same kinds, which were counted and not kept."


def _answer(found: SetInspection) -> str:
    noun = "claim" if found.type == "277" else "set"
    told = f"It answers for {_counted(sum(found.statuses.values()), noun)}"
    if found.version == _STATUS_RESPONSE:
        return told + "; what it says of each is for the claim's own history."
    outcomes = ", ".join(f"{count:,} {outcome.replace('_', ' ')}" for outcome, count in found.statuses.items())
    return f"{told}: {outcomes}."


def _remittance(found: SetInspection, payment: PaymentInspection) -> Iterator[str]:
    how = PAYMENT_METHODS.get(payment.method, "in a way that is not known here")
    day = f"on {payment.effective_date}" if payment.effective_date else "on a day that cannot be read"
    verb = "takes back from" if payment.debits_the_payee else "pays"
    amount = found.sums["BPR02"].decimal_text
    payer, payee = payment.payer or "An unnamed payer", payment.payee or "an unnamed payee"
    yield f"    {payer} {verb} {payee} {amount} {how} {day}, trace {payment.trace_number or '(none)'}."
    statuses = ", ".join(
        f"{count:,} {CLAIM_STATUSES.get(code, 'with a status that is not known')}"
        for code, count in found.statuses.items()
    )
    yield f"    {_counted(found.claims, 'claim')} with {_counted(found.lines, 'line')}: {statuses or 'none'}."
    charged, paid, owed = (found.sums[name].decimal_text for name in ("CLP03", "CLP04", "CLP05"))
    yield f"    Charged {charged}, paid {paid}, left to patients {owed}."
    for code, adjustment in found.provider_adjustments.items():
        effect = "lowers" if adjustment.minor > 0 else "raises"
        meaning = PROVIDER_ADJUSTMENTS.get(code, "provider adjustment")
        yield (
            f"    {code} ({meaning}) {effect} the payment by {abs(adjustment).decimal_text}."
            if adjustment
            else (f"    {code} ({meaning}) comes to nothing.")
        )
    yield f"    {_equation(found, payment)}"
    if not found.residual:
        yield "    Every line, every claim and the payment add up."


def _equation(found: SetInspection, payment: PaymentInspection) -> str:
    due = found.sums["CLP04"] - found.sums["PLB"]
    stated = -found.sums["BPR02"] if payment.debits_the_payee else found.sums["BPR02"]
    sentence = f"{found.sums['CLP04'].decimal_text} paid on claims, less {found.sums['PLB'].decimal_text} of provider adjustments, is {due.decimal_text}"
    if due == stated:
        return f"{sentence}: that is the payment."
    return f"{sentence}, but the payment is {stated.decimal_text}: {_off(due - stated)}."


def _off(residual: Money) -> str:
    return f"{abs(residual).decimal_text} too {'little' if residual.minor > 0 else 'much'}"


def _findings(places: list[Place], quotes: Mapping[int, Quote], findings_max: int, indent: str) -> Iterator[str]:
    for number, place in enumerate(places[:findings_max], 1):
        finding = place.finding
        quote = quotes.get(place.ordinal)
        yield f"{indent}{number}. {_where(place, quote)}: {finding.message}{_amounts(finding)}."
        if quote:
            yield f"{indent}     {quote.text}"
        yield f"{indent}   {meaning_of(finding.code)} {CONSEQUENCES[finding.severity]} (rule {finding.code})"
    if len(places) > findings_max:
        yield f"{indent}And {len(places) - findings_max} more; --findings shows more of them."


def _where(place: Place, quote: Quote | None) -> str:
    words = f"Segment {place.segment}"
    if place.finding.segment:
        words += f" ({place.finding.segment})"
    if quote and quote.claim:
        words += f", claim {quote.claim}"
        words += f", line {quote.line}" if quote.line else ""
    return words


def _amounts(finding: Finding) -> str:
    if not finding.expected and not finding.found:
        return ""
    return f"; {finding.expected or 'nothing'} is expected, {finding.found or 'nothing'} stands there"
