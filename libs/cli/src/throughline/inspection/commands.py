"""`throughline x12 ...`: reading X12 files without any service."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer
from x12.findings import Verdict
from x12.inspection import Inspection, inspect
from x12.policy import PolicyOf

from throughline.inspection.explanation import (
    INTERCHANGES_EXPLAINED_MAX,
    SETS_EXPLAINED_MAX,
    explained,
)
from throughline.inspection.partners import MasterDataOption, policies_in
from throughline.inspection.places import places_of_envelope, places_of_set
from throughline.inspection.quoting import quotes_of
from throughline.inspection.report import Report, file_report, interchange_reports, unreadable
from throughline.inspection.tables import FINDINGS_SHOWN, show_file
from throughline.outcome import Exit, Unusable, ends_with_a_code
from throughline.screen import JsonOption, Steps, progress, say, show_json, warn

STANDARD_INPUT = "-"
_READ_BYTES = 262_144
_IN_MEMORY_BYTES = 16_777_216

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
    master_data: MasterDataOption = None,
) -> Exit:
    """Say what is in X12 files: sets, verdicts, sums, residuals and findings.

    835s are balanced line by line, claim by claim and as a whole; 837s claim by claim. A set is accepted; or
    quarantined, when it can be read but its money or its envelope does not add up; or refused, when it cannot be used.
    Nothing is forced, and no patient's name or number is printed.

    The JSON is an object with the lists `files` and `interchanges`. Amounts are strings with two decimals, or null where a type of set
    has none; offset and length are bytes in the file; segment counts from 1 at ISA.

    - a file: file, verdict, bytes, outside_bytes, refusal
    - an interchange: file, control (ISA13), sender, receiver, verdict, transaction_sets, findings, acknowledgements (TA1), date,
      version, usage, offset, length
    - a transaction set: type, version, control (ST02), group (GS06), verdict, claims, lines, clp03, clp04, clp05, plb, bpr02, clm02,
      residual, statuses (claims by CLP02, answers by outcome), provider_adjustments (PLB by code), findings, findings_omitted, segment (of its ST),
      segments, offset, length
    - residual of a set: the largest amount that is out at any level, 0.00 only where everything adds up
    - a finding: severity (note, quarantine, refuse), level (line, claim, transaction, group, interchange), segment, rule,
      residual (expected less found), tag, message, expected, found

    Exit code: 0 all accepted, 1 something is quarantined or refused, 2 a file cannot be read or is no X12.
    """
    reports: list[Report] = []
    interchanges: list[Report] = []
    policies = policies_in(master_data)
    worst = Exit.OK
    for name in files:
        try:
            inspection = _inspected(name, policies)
        except OSError as error:
            reports.append(unreadable(name, error.strerror or "cannot be read"))
            worst = Exit.USAGE
            warn(f"{name}: {error.strerror}")
            continue
        reports.append(file_report(name, inspection))
        interchanges += interchange_reports(name, inspection)
        worst = max(worst, _exit_of(inspection))
        if not as_json:
            show_file(name, inspection, findings)
    if as_json:
        show_json({"files": reports, "interchanges": interchanges})
    return worst


@app.command("explain")
@ends_with_a_code
def explain_file(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An X12 file; - reads standard input.")],
    as_json: JsonOption = False,
    findings: Annotated[int, typer.Option(min=0, help="Findings told per set.")] = FINDINGS_SHOWN,
    master_data: MasterDataOption = None,
) -> Exit:
    """Tell in words what an X12 file is, what adds up, what is wrong and where, and what that means.

    The segment of each finding is quoted; names, numbers, dates and addresses of patients are masked in it, and so is whatever
    stands in a segment that is not known. The JSON has file, verdict and the lines of the text; `x12 inspect --json` has the facts.

    Exit code: 0 all accepted, 1 something is quarantined or refused, 2 the file cannot be read or is no X12.
    """
    policies = policies_in(master_data)
    try:
        with _kept(file) as kept:
            inspection = inspect(kept, policies=policies)
            kept.seek(0)
            quotes = quotes_of(_read(kept), _ordinals(inspection, findings))
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror}", "unreadable_file") from error
    lines = list(explained(file, inspection, quotes, findings))
    if as_json:
        show_json({"file": file, "verdict": inspection.verdict.value, "lines": lines})
    else:
        say("\n".join(lines))
    return _exit_of(inspection)


@contextmanager
def _kept(name: str) -> Iterator[IO[bytes]]:
    """The file, to be read twice."""
    if name != STANDARD_INPUT:
        with Path(name).open("rb") as file:
            yield file
        return
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as spooled:
        shutil.copyfileobj(sys.stdin.buffer, spooled)
        spooled.seek(0)
        yield spooled


def _read(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_READ_BYTES):
        yield chunk


def _ordinals(inspection: Inspection, findings_max: int) -> set[int]:
    wanted: set[int] = set()
    for interchange in inspection.interchanges[:INTERCHANGES_EXPLAINED_MAX]:
        wanted.update(place.ordinal for place in places_of_envelope(interchange)[:findings_max])
        for found in interchange.transaction_sets[:SETS_EXPLAINED_MAX]:
            wanted.update(place.ordinal for place in places_of_set(interchange, found)[:findings_max])
    return wanted


def _inspected(name: str, policies: PolicyOf) -> Inspection:
    with _opened(name) as (file, size), progress(f"reading {Path(name).name}", size) as steps:
        return inspect(_chunks(file, steps), policies=policies)


@contextmanager
def _opened(name: str) -> Iterator[tuple[IO[bytes], int | None]]:
    if name == STANDARD_INPUT:
        yield sys.stdin.buffer, None
        return
    with Path(name).open("rb") as file:
        yield file, Path(name).stat().st_size


def _chunks(file: IO[bytes], steps: Steps) -> Iterator[bytes]:
    for chunk in _read(file):
        steps.advance(len(chunk))
        yield chunk


def _exit_of(inspection: Inspection) -> Exit:
    if inspection.verdict is Verdict.ACCEPTED:
        return Exit.OK
    return Exit.REFUSED if inspection.interchanges else Exit.USAGE
