"""Read models of bulk imports: how far each is, and which lines it refused."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.domain import Event
from chassis.eventstore import Change, Row, Table, add, put
from chassis.eventstore.projecting import of

from intake.domain.bulk_import import BulkImport, ImportState

BULK_IMPORTS = Table(
    "bulk_imports",
    {
        "import_id": "uuid",
        "source": "text",
        "state": "text",
        "reason": "text",
        "file_count": "integer",
        "accepted": "integer",
        "refused": "integer",
        "started_at": "timestamptz",
        "ended_at": "timestamptz",
    },
    key=("import_id",),
    indexes=(("state", "started_at"),),
)
REFUSED_LINES = Table(
    "bulk_import_refusals",
    {"import_id": "uuid", "number": "bigint", "file": "text", "line": "integer", "findings": "text"},
    key=("import_id", "number"),
)
IMPORT_TABLES = (BULK_IMPORTS, REFUSED_LINES)
LINES_OF_A_FILE_MAX = 10_000_000


@of(BulkImport)
def project_imports(event: Event) -> Iterable[Change]:
    """The rows that one stored event changes."""
    match event:
        case BulkImport.Started():
            yield put(
                BULK_IMPORTS,
                import_id=event.originator_id,
                source=event.source,
                state=ImportState.RUNNING.value,
                reason="",
                file_count=len(event.files),
                accepted=0,
                refused=0,
                started_at=event.timestamp,
            )
        case BulkImport.Advanced():
            key: Row = {"import_id": event.originator_id}
            yield add(BULK_IMPORTS, key, accepted=event.accepted, refused=len(event.refused))
            for each in event.refused:
                yield put(
                    REFUSED_LINES,
                    import_id=event.originator_id,
                    number=event.file * LINES_OF_A_FILE_MAX + each.line,
                    file=event.name or str(event.file),
                    line=each.line,
                    findings="\n".join(each.findings),
                )
        case BulkImport.Ended():
            state = event.state.value
            yield put(
                BULK_IMPORTS,
                import_id=event.originator_id,
                state=state,
                reason=event.reason,
                ended_at=event.timestamp,
            )
