"""`throughline crosswalk`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from canonical.master_data import LISTS, MasterData, UnknownMasterData
from canonical.master_data.lists import CROSSWALK_TARGETS

from throughline.connection import MASTER_DATA, StateOption, access_to, state_folder
from throughline.mastering.calls import MasterDataDesk
from throughline.mastering.files import content_in
from throughline.mastering.hl7_codes import read_site_readings
from throughline.mastering.message_codes import LookedUp, codes_in
from throughline.outcome import Exit, ends_with_a_code
from throughline.screen import Column, JsonOption, say, show_json, show_table
from throughline.wire import amount_text, data_of, money_of

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")


@app.callback()
def crosswalk() -> None:
    """What codes of the sources mean, and which of them nobody knows."""


@app.command("test")
@ends_with_a_code
def try_codes(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV of source, kind, code and day; or messages.")],
    master_data: Annotated[
        Path | None, typer.Option("--master-data", metavar="FILE", help="Master data; else that of the running suite.")
    ] = None,
    profiles: Annotated[
        Path | None,
        typer.Option("--profile", metavar="FILE", help="The site profiles by which intake reads HL7 v2 (TOML)."),
    ] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Say of each code in a file what it means to us. FHIR, HL7 v2 and charge batches are read too; nothing is sent.

    Without `--profile`, codes in HL7 v2 are looked for where they usually stand.

    Exit code: 1 where a code is not mapped. The JSON is an object with the list `codes`.
    """
    content = content_in(master_data or state_folder(state) / MASTER_DATA)
    sites = read_site_readings(profiles)
    found = [(each, _meaning(content, each)) for each in codes_in(file, datetime.now(UTC).date(), sites)]
    unmapped = sum(ours is None for _, ours in found)
    if as_json:
        show_json({"codes": [_data(each, ours) for each, ours in found], "unmapped": unmapped})
    else:
        columns = [Column(name) for name in ("source", "kind", "code", "day", "ours")]
        rows = ((each.source, each.kind, each.code, str(each.day), ours or "not mapped") for each, ours in found)
        show_table(columns, rows)
        say(f"{len(found)} codes, {unmapped} of them not mapped, by version {content.version}.")
    return Exit.REFUSED if unmapped else Exit.OK


def _meaning(content: MasterData, asked: LookedUp) -> str | None:
    """Our code that holds on the day; None where there is none."""
    try:
        ours = content.translate(asked.source, asked.kind, asked.code, asked.day)
    except UnknownMasterData:
        return None
    target = CROSSWALK_TARGETS.get(asked.kind)
    if target is None:
        return ours
    return ours if _is_there(content, target, ours, asked.day) else None


def _is_there(content: MasterData, target: str, ours: str, day: date) -> bool:
    return any(row.code == ours and row.holds_on(day) for row in getattr(content, LISTS[target].name))


def _data(asked: LookedUp, ours: str | None) -> dict[str, object]:
    return {"source": asked.source, "kind": asked.kind, "code": asked.code, "day": str(asked.day), "ours": ours}


@app.command()
@ends_with_a_code
def held(
    limit: Annotated[int, typer.Option(min=1, max=5000, help="At most so many.")] = 100,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List the codes that charges wait for, the greatest amount first.

    Exit code: 1 where something waits.
    """
    with access_to(state) as access:
        found = MasterDataDesk(access).unmapped(limit)
    if as_json:
        show_json(data_of(found))
        return Exit.REFUSED if found.codes else Exit.OK
    columns = [*map(Column, ("source", "kind", "code")), Column("encounters", right=True), Column("held", right=True)]
    rows = (
        (each.source, each.kind, each.code, str(each.encounters), amount_text(money_of(each.amount)), each.first_day)
        for each in found.codes
    )
    show_table([*columns, Column("since day")], rows)
    return Exit.REFUSED if found.codes else Exit.OK
