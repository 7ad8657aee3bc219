"""`throughline master-data`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from billing.intake.v1 import master_data_pb2 as pb
from canonical.master_data import list_called

from throughline.connection import StateOption, access_to
from throughline.mastering.calls import MasterDataDesk, tables_in
from throughline.mastering.files import content_in, import_into, named_lists, read_lists, write_list, write_text
from throughline.outcome import Exit, Unusable, ends_with_a_code
from throughline.screen import Column, JsonOption, say, short, show_json, show_table
from throughline.wire import data_of, identity_in

LIMIT_MAX = 5000

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")
FilesArgument = Annotated[
    list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="CSV files, named for their lists.")
]
ChangeArgument = Annotated[str, typer.Argument(metavar="CHANGE", help="The id of a change.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it is kept for ever. No names of patients.")]
OfflineOption = Annotated[
    Path | None, typer.Option("--master-data", metavar="FILE", help="A file of master data, without any service.")
]


@app.callback()
def master_data() -> None:
    """What the deployment knows: payers, departments, prices, crosswalks; docs/master-data.md has every column."""


@app.command("import")
@ends_with_a_code
def import_lists(
    files: FilesArgument,
    into: Annotated[Path, typer.Option("--master-data", metavar="FILE", help="The file; made where there is none.")],
    as_json: JsonOption = False,
) -> Exit:
    """Put whole lists into a file of master data, before services read it. Afterwards `propose` changes it.

    Exit code: 1 where rows cannot be, each named by file, line, column and rule; then nothing is written.
    """
    lists = read_lists(files)
    import_into(into, lists)
    counts = {name: len(rows) for name, rows in lists.items()}
    if as_json:
        show_json({"written": str(into), "rows": counts})
    else:
        say(f"{into}: " + ", ".join(f"{count} rows of {name}" for name, count in counts.items()))
    return Exit.OK


@app.command()
@ends_with_a_code
def export(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", file_okay=False, help="Where the CSV files go.")],
    lists: Annotated[
        list[str] | None, typer.Option("--list", metavar="LIST", help="Only this list; may repeat.")
    ] = None,
    version: Annotated[int, typer.Option(min=0, help="As it was known at this version; 0 is what is in force.")] = 0,
    path: OfflineOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Write lists as CSV; importing them again gives the same."""
    wanted = named_lists(lists or [])
    if path is not None:
        content = content_in(path)
        written = [write_list(folder, each, content) for each in wanted]
    else:
        with _desk(state) as desk:
            written = [write_text(folder, each, desk.exported(each.name, version)[1]) for each in wanted]
    if as_json:
        show_json({"written": [str(each) for each in written]})
    else:
        say("\n".join(map(str, written)))
    return Exit.OK


@app.command()
@ends_with_a_code
def propose(
    files: FilesArgument,
    reason: ReasonOption,
    base_version: Annotated[
        int, typer.Option(min=0, help="The version that the files were made from; rows changed since then are refused.")
    ] = 0,
    replace: Annotated[bool, typer.Option("--replace", help="What the lists have beside these rows goes.")] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Propose rows of one or more lists; `approve` puts them in force.

    Exit code: 1 where rows cannot be, or are known otherwise by now.
    """
    read_lists(files)
    with _desk(state) as desk:
        change = desk.propose(tables_in(files), reason, base=base_version, replace=replace)
    if as_json:
        show_json(data_of(change))
        return Exit.OK
    say(f"{change.change_id}: {change.row_count} rows of {change.lists}, against version {change.base_version}")
    say("Another person approves it: money follows." if change.needs_another else "Anybody who may approve does.")
    return Exit.OK


@app.command()
@ends_with_a_code
def approve(change_id: ChangeArgument, state: StateOption = None, as_json: JsonOption = False) -> Exit:
    """Put a proposal in force; what waited for it flows by itself.

    Exit code: 1 where money follows and the proposer is who approves, or its rows were changed meanwhile.
    """
    with _desk(state) as desk:
        version = desk.approve(identity_in(change_id, "a change"))
    if as_json:
        show_json({"version": version})
    else:
        say(f"It is in force as version {version}.")
    return Exit.OK


@app.command()
@ends_with_a_code
def reject(
    change_id: ChangeArgument, reason: ReasonOption, state: StateOption = None, as_json: JsonOption = False
) -> Exit:
    """Turn a proposal down."""
    with _desk(state) as desk:
        desk.reject(identity_in(change_id, "a change"), reason)
    if as_json:
        show_json({"rejected": True})
    else:
        say("It is turned down.")
    return Exit.OK


@app.command()
@ends_with_a_code
def history(
    in_state: Annotated[str, typer.Option("--in", metavar="STATE", help="proposed, approved or rejected.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="At most so many.")] = 100,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List proposals and versions, the newest first: who proposed, who decided, and why."""
    with _desk(state) as desk:
        found = desk.changes(in_state, limit)
    if as_json:
        show_json(data_of(found))
        return Exit.OK
    columns = [
        Column("version", right=True),
        *map(Column, ("change", "state", "lists", "rows", "proposed by", "decided by")),
    ]
    show_table([*columns, Column("why", flexible=True)], map(_history_row, found.changes))
    return Exit.OK


def _history_row(change: pb.Change) -> tuple[str, ...]:
    why = change.reason + (f" / {change.decision_reason}" if change.decision_reason else "")
    version = str(change.version) if change.version else ""
    people = (change.proposer, change.decider)
    return (version, change.change_id, change.state, change.lists, str(change.row_count), *people, why)


@app.command()
@ends_with_a_code
def show(
    what: Annotated[str, typer.Argument(metavar="CHANGE|LIST", help="The id of a change, or the name of a list.")],
    code: Annotated[str, typer.Argument(help="The code of a row, where a list is named.")] = "",
    day: Annotated[str, typer.Option(help="The rows that hold on this day, as 2026-01-31.")] = "",
    version: Annotated[int, typer.Option(min=0, help="As it was known at this version; 0 is the newest.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="At most so many rows.")] = 100,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Show the rows of a change, or what a code meant on a day as known at a version.

    Exit code: 1 where nothing is known of the code.
    """
    wanted = list_called(what)
    if wanted is None:
        return _show_change(what, limit, state, as_json=as_json)
    if not code:
        raise Unusable("name a code of the list; `export` writes all of it", "code_missing")
    with _desk(state) as desk:
        found = desk.known(wanted.name, code, day, version)
    if as_json:
        show_json(data_of(found))
    else:
        say(
            "\n".join(f"since version {each.since_version}: {each.row}" for each in found.rows)
            or "nothing is known of it"
        )
    return Exit.OK if found.rows else Exit.REFUSED


def _show_change(what: str, limit: int, state: Path | None, *, as_json: bool) -> Exit:
    with _desk(state) as desk:
        found = desk.change(identity_in(what, "a change, nor a list"), limit)
    if as_json:
        show_json(data_of(found))
        return Exit.OK
    change = found.change
    say(f"{change.state}: {change.reason} ({change.row_count} rows against version {change.base_version})")
    rows = (
        (each.list_name, short(each.key) if len(each.key) > 80 else each.key, each.before, each.row)
        for each in found.rows
    )
    show_table([*map(Column, ("list", "row")), Column("before", flexible=True), Column("after", flexible=True)], rows)
    return Exit.OK


@contextmanager
def _desk(state: Path | None) -> Iterator[MasterDataDesk]:
    with access_to(state) as access:
        yield MasterDataDesk(access)
