"""The report on one file as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator

from x12.inspection import Inspection, InterchangeInspection, SetInspection

from throughline.inspection.places import Place, places_of_envelope, places_of_set
from throughline.screen import Column, say, show_table

FINDINGS_SHOWN = 20
_VERDICT_STYLES = {"accepted": "green", "quarantined": "yellow", "refused": "red"}
_SUMS = ("CLP03", "CLP04", "CLP05", "PLB", "BPR02", "CLM02")
_MEANINGS = {
    "CLP03": "charged",
    "CLP04": "paid",
    "CLP05": "patient",
    "PLB": "provider adj.",
    "BPR02": "payment",
    "CLM02": "charged",
}


def show_file(name: str, inspection: Inspection, findings_max: int = FINDINGS_SHOWN) -> None:
    """The file's verdict, its transaction sets and its findings."""
    say(f"{name}: {inspection.verdict.value}", style=f"bold {_VERDICT_STYLES[inspection.verdict]}")
    if inspection.refusal:
        say(f"  reading stopped at byte {inspection.refusal.offset}: {inspection.refusal.message}")
    if inspection.outside_bytes:
        say(f"  {inspection.outside_bytes} bytes belong to no interchange")
    for interchange in inspection.interchanges:
        _show_interchange(interchange, findings_max)


def _show_interchange(interchange: InterchangeInspection, findings_max: int) -> None:
    parties = f"{interchange.sender.strip()} to {interchange.receiver.strip()}"
    say(f"  interchange {interchange.control_number}, {parties}, {interchange.date}: {interchange.verdict.value}")
    for each in interchange.acknowledgements:
        say(f"  TA1 on interchange {each.control_number}: {each.code} {each.note_code}".rstrip())
    sets = interchange.transaction_sets
    if sets:
        names = [name for name in _SUMS if any(name in each.sums for each in sets)]
        show_table(_columns(names), (_row(each, names) for each in sets))
    _show_findings(interchange, findings_max)


def _columns(names: list[str]) -> list[Column]:
    plain = [Column(title) for title in ("set", "type", "version", "group", "verdict")]
    counts = [Column(title, right=True) for title in ("claims", "lines")]
    return plain + counts + [Column(f"{name} {_MEANINGS[name]}", right=True, flexible=True) for name in names]


def _row(found: SetInspection, names: list[str]) -> list[str]:
    facts = [found.control_number, found.type, found.version, found.group_control_number, found.verdict.value]
    sums = [found.sums[name].decimal_text if name in found.sums else "" for name in names]
    return [*facts, str(found.claims), str(found.lines), *sums]


def _show_findings(interchange: InterchangeInspection, findings_max: int) -> None:
    located = list(_located(interchange))
    if not located:
        return
    columns = [Column("set"), Column("segment"), Column("rule"), Column("residual", right=True)]
    rows = [_finding_row(number, place) for number, place in located[:findings_max]]
    show_table([*columns, Column("severity"), Column("finding", flexible=True)], rows)
    left = len(located) - len(rows) + sum(each.findings_omitted for each in interchange.transaction_sets)
    if left:
        say(f"  and {left} more findings; --findings shows more, --json all that are kept")


def _located(interchange: InterchangeInspection) -> Iterator[tuple[str, Place]]:
    """Findings with the number of their set, those that lead to a verdict first."""
    for place in places_of_envelope(interchange):
        yield "", place
    for found in interchange.transaction_sets:
        for place in places_of_set(interchange, found):
            yield found.control_number, place


def _finding_row(set_number: str, place: Place) -> list[str]:
    finding = place.finding
    residual = finding.residual.decimal_text if finding.residual else ""
    message = finding.message
    if finding.expected or finding.found:
        message += f" (expected {finding.expected}, found {finding.found})"
    segment = f"{place.segment} {finding.segment}".strip()
    return [set_number, segment, finding.code, residual, finding.severity.value, message]
