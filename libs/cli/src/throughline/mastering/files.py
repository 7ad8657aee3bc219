"""Lists of master data as files on this machine, read and written without any service."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from canonical.master_data import (
    LISTS,
    Dated,
    MasterData,
    MasterDataList,
    UnusableMasterData,
    checked,
    list_called,
    load_master_data,
    master_data_bytes,
)
from canonical.master_data.tables import TableRefused, read_table, table_lines
from chassis.whole_files import replace_whole

from throughline.outcome import Refused, Unusable

NEW_CONTENT = MasterData(version="1", entities=(), payers=(), providers=())


def read_lists(paths: Sequence[Path]) -> dict[str, tuple[Dated, ...]]:
    """The rows of CSV files by list.

    Raises:
        Unusable: a file cannot be read, or is no list.
        Refused: rows that cannot be; every one is named by file, line, column and rule.
    """
    found: dict[str, tuple[Dated, ...]] = {}
    faults: list[str] = []
    for path in paths:
        try:
            table = read_table(path)
        except OSError as error:
            raise Unusable(f"{path}: {error.strerror}", "unreadable_file") from error
        except TableRefused as refused:
            faults += map(str, refused.faults)
            continue
        found[table.wanted.name] = (*found.get(table.wanted.name, ()), *table.rows)
    if faults:
        raise Refused("\n".join(faults), "table_refused")
    return found


def content_in(path: Path) -> MasterData:
    """The master data of a file.

    Raises:
        Unusable: it cannot be read, or is no master data.
    """
    try:
        return load_master_data(path)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}", "unreadable_file") from error
    except ValueError as error:
        raise Unusable(f"{path} is no master data: {error}", "no_master_data") from error


def import_into(path: Path, lists: dict[str, tuple[Dated, ...]]) -> MasterData:
    """Puts whole lists into a file of master data, which is made where there is none.

    Raises:
        Unusable: the file cannot be read or written.
        Refused: the lists do not fit each other.
    """
    before = content_in(path) if path.exists() else NEW_CONTENT
    content = before.model_copy(update=dict(lists))
    try:
        replace_whole(path, master_data_bytes(checked(content)))
    except UnusableMasterData as unusable:
        raise Refused(str(unusable), "rows_do_not_fit") from unusable
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}", "unwritable_file") from error
    return content


def named_lists(names: Sequence[str]) -> list[MasterDataList]:
    """The lists of these names, all where none is named.

    Raises:
        Unusable: one of them is no list.
    """
    found = [(name, list_called(name)) for name in names or LISTS]
    for name, wanted in found:
        if wanted is None:
            raise Unusable(f"no list is called {name}; there are {', '.join(LISTS)}", "unknown_list")
    return [wanted for _, wanted in found if wanted is not None]


def write_list(folder: Path, wanted: MasterDataList, content: MasterData) -> Path:
    """Writes one list; the path of its file."""
    return write_text(folder, wanted, "".join(table_lines(wanted, getattr(content, wanted.name))).encode())


def write_text(folder: Path, wanted: MasterDataList, text: bytes) -> Path:
    """Writes the CSV of one list into the folder, which is made where there is none.

    Raises:
        Unusable: the folder takes no file.
    """
    path = folder / f"{wanted.name}.csv"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_whole(path, text)
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}", "unwritable_file") from error
    return path
