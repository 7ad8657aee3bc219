"""`throughline submit`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from chassis.file_formats import HEAD_BYTES, Format, recognise

from throughline.connection import Connection, StateOption, access_to, read_connection, tokens_of
from throughline.outcome import Exit, Unreachable, Unusable, ends_with_a_code
from throughline.screen import Column, JsonOption, progress, show_json, show_table
from throughline.submitting.exchange_door import ExchangeDoor
from throughline.submitting.explaining import NO_FORMAT, explained, tell, unknown
from throughline.submitting.fhir_door import FhirDoor, http_client
from throughline.submitting.mllp_door import MllpDoor
from throughline.submitting.sent import Fate, Sent

FILE_BYTES_MAX = 256 * 1024 * 1024
_COLUMNS = (
    Column("file", flexible=True),
    Column("format"),
    Column("door"),
    Column("what happened"),
    Column("reference", flexible=True),
    Column("answer", flexible=True),
)


@ends_with_a_code
def submit(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="FHIR JSON or NDJSON, HL7 v2, X12, BAI2, NACHA or CSV files.")
    ],
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for a file to be taken; 0: do not wait.")] = 30.0,
    explain: Annotated[
        bool, typer.Option("--explain", help="Send nothing; say what the files are, and what would become of them.")
    ] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Send files through the doors that are right for them, and say what happened to each.

    FHIR goes by HTTPS through the gateway, HL7 v2 by MLLP, X12, BAI2, NACHA, NDJSON and charge batches into the exchange folder. The same file twice
    is one message.

    The JSON is an object with the list `messages`: file, format, door, fate, reference and answers. Fates: accepted,
    handed over, quarantined, refused, not taken, unrecognised, unreadable, unreachable. With --explain it is the list
    `files`: file, format, sentences, findings, unmapped codes and effects; people are masked.

    Exit code: 0 all accepted or handed over, 1 something was refused or quarantined, 2 a file is of no known format or
    cannot be read, 3 a door does not answer.
    """
    if explain:
        return _explain(files, state, as_json=as_json)
    connection = read_connection(state)
    sent: list[Sent] = []
    with progress("sending", len(files)) as steps:
        for path in files:
            sent.extend(_sent(path, connection, wait))
            steps.advance()
    if as_json:
        show_json({"messages": [each.as_data() for each in sent]})
    else:
        show_table(_COLUMNS, map(_row, sent))
    return max(each.exit for each in sent)


def _explain(files: list[Path], state: Path | None, *, as_json: bool) -> Exit:
    """1 where something is wrong with a file, 2 where one is of no known format or cannot be read."""
    found = []
    with access_to(state) as access:
        for path in files:
            try:
                with path.open("rb") as file:
                    kind = recognise(file.read(HEAD_BYTES))
                found.append(explained(path, kind, access) if kind else unknown(path))
            except OSError as error:
                raise Unusable(f"{path}: {error.strerror}", "unreadable_file") from None
    if as_json:
        show_json({"files": found})
    else:
        for each in found:
            tell(each)
    if not all(each["format"] for each in found):
        return Exit.USAGE
    return Exit.REFUSED if any(each["findings"] for each in found) else Exit.OK


def _sent(path: Path, connection: Connection, wait_seconds: float) -> Iterator[Sent]:
    """Every message of one file, up to the first that no door answered."""
    kind: Format | None = None
    try:
        with path.open("rb") as file:
            kind = recognise(file.read(HEAD_BYTES))
        if kind is None:
            yield Sent(
                str(path),
                "",
                "",
                Fate.UNRECOGNISED,
                answers=(NO_FORMAT,),
            )
        elif path.stat().st_size > FILE_BYTES_MAX:
            yield Sent(str(path), kind.value, "", Fate.UNREADABLE, answers=(f"more than {FILE_BYTES_MAX} bytes",))
        else:
            yield from _through_its_door(path, kind, connection, wait_seconds)
    except OSError as error:
        yield Sent(str(path), "", "", Fate.UNREADABLE, answers=(error.strerror or "cannot be read",))
    except Unreachable as down:
        yield Sent(str(path), kind.value if kind else "", "", Fate.UNREACHABLE, answers=(down.message,))


def _through_its_door(path: Path, kind: Format, connection: Connection, wait_seconds: float) -> Iterable[Sent]:
    if kind is Format.FHIR:
        authority = connection.gateway.ca if connection.gateway else None
        with http_client(authority) as http:
            return [
                FhirDoor(_known(connection.fhir, "FHIR"), tokens_of(connection), http).send(
                    str(path), path.read_bytes()
                )
            ]
    if kind is Format.HL7:
        return MllpDoor(_known(connection.mllp, "HL7")).send(str(path), path.read_bytes())
    if connection.exchange is None:
        raise Unreachable("this suite has no exchange folder")
    return [ExchangeDoor(connection.exchange, kind, wait_seconds).send(path)]


def _known(address: str, door: str) -> str:
    if not address:
        raise Unreachable(f"this suite has no {door} door")
    return address


def _row(sent: Sent) -> list[str]:
    return [sent.file, sent.format, sent.door, sent.fate.value, sent.reference, "; ".join(sent.answers)]
