"""`throughline x12 ...`: reading X12 files without any service."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from x12.findings import Verdict
from x12.inspection import Inspection, inspect

from throughline.inspection.report import Report, file_report, unreadable
from throughline.inspection.tables import FINDINGS_SHOWN, show_file
from throughline.outcome import Exit, ends_with_a_code
from throughline.screen import JsonOption, Steps, progress, show_json, warn

STANDARD_INPUT = "-"

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")


@app.callback()
def x12() -> None:
    """X12 files, read offline."""


@app.command("inspect")
@ends_with_a_code
def inspect_files(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="X12 files; - reads standard input.")],
    as_json: JsonOption = False,
    findings: Annotated[int, typer.Option(min=0, help="Findings shown per interchange.")] = FINDINGS_SHOWN,
) -> Exit:
    """Say what is in X12 files: sets, verdicts, sums, residuals and findings.

    835s are balanced line by line, claim by claim and as a whole; 837s claim by claim. A set is accepted; or
    quarantined, when it can be read but its money or its envelope does not add up; or refused, when it cannot be used.
    Nothing is forced, and no patient's name or number is printed.

    The JSON is an object with the list `files`. Amounts are decimal strings, offsets and lengths bytes in the file.

    - a file: file, verdict, bytes, outside_bytes, refusal, interchanges
    - an interchange: control_number (ISA13), sender, receiver, date, version, usage, verdict, offset, length, findings,
      acknowledgements (TA1), transaction_sets
    - a transaction set: type, version, control_number (ST02), group_control_number (GS06), verdict, offset, length,
      segment_count, claim_count, line_count, currency, sums, residuals, findings, findings_omitted
    - sums: CLP03, CLP04, CLP05, PLB and BPR02 of an 835; CLM02 of an 837
    - a finding, a residual: rule, severity (note, quarantine, refuse), segment, position (ST is 1), level (line, claim,
      provider), message, expected, found, residual

    Exit code: 0 all accepted, 1 something is quarantined or refused, 2 a file cannot be read or is no X12.
    """
    reports: list[Report] = []
    worst = Exit.OK
    for name in files:
        try:
            inspection = _inspected(name)
        except OSError as error:
            report, code = unreadable(name, error.strerror or "cannot be read"), Exit.USAGE
            warn(f"{name}: {error.strerror}")
        else:
            report, code = file_report(name, inspection), _exit_of(inspection)
            if not as_json:
                show_file(name, inspection, findings)
        reports.append(report)
        worst = max(worst, code)
    if as_json:
        show_json({"files": reports})
    return worst


def _inspected(name: str) -> Inspection:
    with _opened(name) as (file, size), progress(f"reading {Path(name).name}", size) as steps:
        return inspect(_chunks(file, steps))


@contextmanager
def _opened(name: str) -> Iterator[tuple[BinaryIO, int | None]]:
    if name == STANDARD_INPUT:
        yield sys.stdin.buffer, None
        return
    with Path(name).open("rb") as file:
        yield file, Path(name).stat().st_size


def _chunks(file: BinaryIO, steps: Steps) -> Iterator[bytes]:
    while chunk := file.read(262_144):
        steps.advance(len(chunk))
        yield chunk


def _exit_of(inspection: Inspection) -> Exit:
    if inspection.verdict is Verdict.ACCEPTED:
        return Exit.OK
    return Exit.REFUSED if inspection.interchanges else Exit.USAGE
