"""Master data as rows by list and key, each as JSON: what changes are made of, and versions put together from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from canonical.master_data import LISTS, Dated, MasterData, MasterDataList, faults_in

from intake.domain.master_data_change import RowChange, RowsDoNotFit, StaleProposal

FAULTS_TOLD = 10
STALE_TOLD = 5
Rows = dict[str, dict[str, str]]
"""By list and key, the row as JSON, in the order of the list."""


def key_of(wanted: MasterDataList, row: Dated) -> str:
    """The key of a row with the day it begins, as text."""
    return json.dumps([*wanted.key_of(row), row.valid_from.isoformat()], ensure_ascii=False)


def content_of(rows: Rows, version: int) -> MasterData:
    """The rows as master data.

    Raises:
        RowsDoNotFit: see there.
    """
    lists = (f"{json.dumps(name)}:[{','.join(own.values())}]" for name, own in rows.items())
    content = MasterData.model_validate_json(f'{{"version":"{version}",{",".join(lists)}}}')
    faults = faults_in(content)
    if faults:
        more = [f"and {len(faults) - FAULTS_TOLD} more"] if len(faults) > FAULTS_TOLD else []
        raise RowsDoNotFit("\n".join([*map(str, faults[:FAULTS_TOLD]), *more]))
    return content


def apply_changes(rows: Rows, changes: Iterable[RowChange]) -> None:
    """Puts the changes into the rows, in place."""
    for change in changes:
        own = rows.setdefault(change.list_name, {})
        if change.row:
            own[change.key] = change.row
        else:
            own.pop(change.key, None)


def changes_between(
    rows: Rows, given: Mapping[str, Sequence[Dated]], *, replaces: bool
) -> tuple[tuple[RowChange, ...], bool]:
    """What must change for the given rows to hold, and whether another person is needed for it.

    With `replaces` what a list has beside the given rows goes.

    Raises:
        RowsDoNotFit: two of the given rows have one key.
    """
    changes: list[RowChange] = []
    needs_another = False
    for name, wanted_rows in given.items():
        wanted, own = LISTS[name], rows.get(name, {})
        seen: set[str] = set()
        for row in wanted_rows:
            key, text = key_of(wanted, row), row.model_dump_json()
            if key in seen:
                raise RowsDoNotFit(f"{name}: {key} is there twice")
            seen.add(key)
            if own.get(key) != text:
                changes.append(RowChange(list_name=name, key=key, code=row.code, row=text, before=own.get(key, "")))
                needs_another |= wanted.needs_another(row)
        for key, text in own.items() if replaces else ():
            if key not in seen:
                gone = wanted.row.model_validate_json(text)
                changes.append(RowChange(list_name=name, key=key, code=gone.code, row="", before=text))
                needs_another |= wanted.needs_another(gone)
    return tuple(changes), needs_another


def refuse_stale(rows: Rows, changes: Iterable[RowChange]) -> None:
    """Sees to it that the rows are those that the changes were made against.

    Raises:
        StaleProposal: see there.
    """
    stale = [change for change in changes if rows.get(change.list_name, {}).get(change.key, "") != change.before]
    if stale:
        told = "; ".join(f"{change.list_name} {change.key}" for change in stale[:STALE_TOLD])
        raise StaleProposal(f"{len(stale)} rows have been changed meanwhile: {told}")
