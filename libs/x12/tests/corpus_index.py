"""The facts of a real file as our readers see them, worded as INDEX.tsv words them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

from canonical.money import Money
from x12.acknowledgement import GroupAcknowledgement
from x12.envelope import InterchangeAcknowledged, InterchangeEnded, SetEnded, TransactionSet
from x12.findings import Finding, Level
from x12.reading import Event, read
from x12.remittance import ClaimPayment, RemittanceTrailer
from x12.segments import Segment, element_of
from x12.splitter import split
from x12.submitted_claim import SubmittedClaim
from x12.values import is_npi

_ENVELOPE_WORDS = {
    "iea02_control": "IEA02!=ISA13",
    "iea01_count": "IEA01={found} but GS={expected}",
    "se01_count": "SE01={found} but {expected} segs",
    "ge02_control": "GE02!=GS06",
    "missing_iea": "no IEA",
    "missing_se": "ST without SE",
    "missing_ge": "GS without GE",
}
_NAMES = {"\n": "LF", "\r": "CR", "\x1d": "0x1D", "": "None"}


def normal(fact: str) -> str:
    """A fact with every amount in its shortest form and every fault in order, so that 45.70 and 45.7 are the same."""
    shortest = re.sub(r"(?<![0-9A-Za-z])-?[0-9]+\.[0-9]+", lambda match: f"{Decimal(match[0]).normalize():f}", fact)
    if shortest.startswith("ENVELOPE: "):
        return "ENVELOPE: " + "; ".join(sorted(shortest.removeprefix("ENVELOPE: ").split("; ")))
    return re.sub(r"(?<=[A-Z0-9])>[^= ]*(?==)", "", shortest) if "PLB=" in shortest else shortest


def facts_of(raw: bytes) -> set[str]:
    """Every fact that the index may have of this file, normal."""
    segments = [each for each in split(raw) if each.text]
    events = list(read(raw))
    facts = [*_envelope(segments, events), *_remittances(events), *_submissions(events), *_answers(segments, events)]
    facts += [*_providers(segments), *_separators(segments, events)]
    return {normal(fact) for fact in facts}


def _envelope(segments: list[Segment], events: list[Event]) -> Iterator[str]:
    headed = segments[0].tag == "ISA"
    tags = Counter(each.tag for each in segments)
    yield f"ISA={tags['ISA'] if headed else 1} GS={tags['GS']} ST={tags['ST']}"
    versions = sorted({element_of(each.elements(), 8) for each in segments if each.tag == "GS"})
    yield f"GS08={','.join(versions)}"
    types = Counter(each.type for each in _sets(events))
    yield f"sets={','.join(f'{kind} x{count}' for kind, count in sorted(types.items()))}"
    faults = [_ENVELOPE_WORDS[each.code].format(expected=each.expected, found=each.found) for each in _faults(events)]
    yield f"ENVELOPE: {'; '.join(faults)}"
    yield from _header(segments[0], headed)
    if "missing_iea" in {each.code for each in _faults(events)}:
        yield "NOTE: last interchange has no IEA"


def _header(first: Segment, headed: bool) -> Iterator[str]:
    delimiters = first.delimiters
    repetition = first.elements()[11] if headed else ""
    shown = (delimiters.element, delimiters.component, repetition, delimiters.terminator)
    yield "delims(elem comp rep term)=" + " ".join(_NAMES.get(each, each) for each in shown)
    yield "NOTE: ISA not 106 fixed width" if headed else "NOTE: no ISA at start"


def _sets(events: Iterable[Event]) -> list[TransactionSet]:
    return [event.transaction_set for event in events if isinstance(event, SetEnded)]


def _faults(events: Iterable[Event]) -> list[Finding]:
    logs = [each.findings for each in _sets(events)]
    logs += {id(each.group): each.group.findings for each in _sets(events)}.values()
    logs += [event.interchange.findings for event in events if isinstance(event, InterchangeEnded)]
    return [finding for log in logs for finding in log.kept if finding.code in _ENVELOPE_WORDS]


def _remittances(events: list[Event]) -> Iterator[str]:
    trailers = [event for event in events if isinstance(event, RemittanceTrailer)]
    if not trailers:
        return
    claims = [event for event in events if isinstance(event, ClaimPayment)]
    paid = [_payment_of(each) for each in trailers]
    yield f"BPR02={'+'.join(paid)}"
    if "NA" not in paid:
        yield f"BPR02sum={sum(map(Decimal, paid))}"
    cents = [(claim.charge_minor, claim.paid_minor, claim.patient_responsibility_minor) for claim in claims]
    sums = [Money(sum(column)).decimal_text for column in zip((0, 0, 0), *cents, strict=True)]
    lines = sum(len(claim.lines) for claim in claims)
    yield f"CLP={len(claims)} CLP03={sums[0]} CLP04={sums[1]} CLP05={sums[2]} SVC={lines}"
    statuses = Counter(claim.status for claim in claims)
    yield f"CLP02={{{','.join(f'{code}:{count}' for code, count in sorted(statuses.items()))}}}"
    yield _provider_adjustments(trailers)
    yield _balance(trailers)
    levels = Counter(finding.level for each in trailers for finding in each.residuals)
    yield f"claims_off={levels[Level.CLAIM]} svcs_off={levels[Level.LINE]}"


def _payment_of(trailer: RemittanceTrailer) -> str:
    missing = "missing_bpr" in trailer.transaction_set.findings.counts
    return "NA" if missing else trailer.header.payment.decimal_text


def _provider_adjustments(trailers: list[RemittanceTrailer]) -> str:
    pairs = [each for trailer in trailers for each in trailer.provider_adjustments]
    total = Money(sum(each.amount_minor for each in pairs)).decimal_text
    listed = " ".join(f"{each.reason}={each.amount.decimal_text}" for each in pairs)
    return f"PLB={total}" + (f" [{listed}]" if pairs else "")


def _balance(trailers: list[RemittanceTrailer]) -> str:
    off = [
        finding.residual
        for trailer in trailers
        for finding in trailer.residuals
        if finding.level is Level.TRANSACTION and finding.residual
    ]
    missing = [each for each in trailers if _payment_of(each) == "NA"]
    if not off and not missing:
        return "balances=yes"
    balanced = len(trailers) - len(off) - len(missing)
    difference = "NA" if missing else abs(Money.total(off)).decimal_text
    return f"balances=no ({balanced} of {len(trailers)} ST; diff {difference})"


def _submissions(events: list[Event]) -> Iterator[str]:
    sets = [each for each in _sets(events) if each.type == "837"]
    if not sets:
        return
    claims = [event for event in events if isinstance(event, SubmittedClaim)]
    yield "kind=837I" if any("X223" in each.version or "X096" in each.version for each in sets) else "kind=837P"
    off = sum(each.findings.counts.get("claim_charges", 0) for each in sets)
    charged = Money(sum(claim.charge_minor for claim in claims)).decimal_text
    frequencies = "/".join(sorted({claim.frequency_code for claim in claims}))
    lines = sum(len(claim.lines) for claim in claims)
    yield f"CLM={len(claims)} CLM02={charged} lines={lines} claims_lines_ne_total={off} freq={frequencies}"
    yield f"distinct CLM01={len({claim.patient_control_number for claim in claims})} of {len(claims)}"


def _answers(segments: list[Segment], events: list[Event]) -> Iterator[str]:
    for event in events:
        if isinstance(event, GroupAcknowledgement):
            codes = ",".join(each.code for each in event.sets)
            errors = [error for each in event.sets for error in each.errors]
            elements = sum(len(error.elements) for error in errors)
            counts = f"{event.sets_included}/{event.sets_received}/{event.sets_accepted}"
            head = f"ack {event.functional_id}/{event.control_number} AK5/IK5={codes}"
            yield f"{head} AK9={event.code}/{counts} IK3={len(errors)} IK4={elements}"
        elif isinstance(event, InterchangeAcknowledged):
            yield "TA1=" + "/".join(event.segment.elements()[1:])
    for each in _sets(events):
        if each.type in ("276", "277"):
            statuses = Counter(_status(segment) for segment in segments if segment.tag == "STC")
            listed = ", ".join(f"{code} x{count}" for code, count in sorted(statuses.items()))
            yield f"{'277CA' if each.version == '005010X214' else each.type} STC={{{listed}}}"


def _status(segment: Segment) -> str:
    return element_of(segment.elements(), 1).rstrip(segment.delimiters.component)


def _providers(segments: list[Segment]) -> Iterator[str]:
    split_ = [each.elements() for each in segments if each.tag in ("NM1", "N1")]
    numbers = [each[place + 1] for each in split_ for place in range(1, len(each) - 1) if each[place] == "XX"]
    yield f"NPI {len(numbers)}, bad check digit/format {sum(not is_npi(each) for each in numbers)}"


def _separators(segments: list[Segment], events: list[Event]) -> Iterator[str]:
    if any("component_separator" in each.findings.counts for each in _sets(events)):
        yield f"WARN composites use > but ISA16 is {segments[0].delimiters.component}"
