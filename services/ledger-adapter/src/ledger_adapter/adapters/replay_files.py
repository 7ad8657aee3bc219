"""Facts of a replay as files of JSON lines, one for each upstream, and its outcome as JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from chassis.messaging.delivery import Delivery

from ledger_adapter.application.replaying import UPSTREAMS, Replayed
from ledger_adapter.domain.journal_digest import BookedJournal, JournalDifference, PlaceDifference

JOURNALS_TOLD_MAX = 1000


def facts_in(folder: Path) -> Mapping[str, Iterator[Delivery]]:
    """The messages of each upstream in the order of its stream: `<upstream>.jsonl` with `subject`, `headers`, `data` in
    base64 and `sequence`. An upstream without a file has none."""
    paths = {upstream: folder / f"{upstream}.jsonl" for upstream in UPSTREAMS}
    return {upstream: _deliveries(path) for upstream, path in paths.items() if path.exists()}


def _deliveries(path: Path) -> Iterator[Delivery]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            message = json.loads(line)
            yield Delivery(
                subject=message["subject"],
                headers=message["headers"],
                data=base64.b64decode(message["data"]),
                stream_sequence=message["sequence"],
            )


def outcome(told: Replayed) -> dict[str, object]:
    """What a script reads; at most 1,000 entries are told one by one, the sums are those of all."""
    return {
        "same": told.is_same,
        "stored_hash": told.stored_hash,
        "replayed_hash": told.replayed_hash,
        "stored_journals": told.stored_count,
        "replayed_journals": told.replayed_count,
        "facts": told.fact_count,
        "seconds": round(told.seconds, 3),
        "differences": [_place(each) for each in told.places],
        "journals_that_differ": len(told.journals),
        "journals": [_journal(each) for each in told.journals[:JOURNALS_TOLD_MAX]],
        "only_stored_postings": [str(each) for each in told.unposted[:JOURNALS_TOLD_MAX]],
        "only_replayed_postings": [str(each) for each in told.unstored[:JOURNALS_TOLD_MAX]],
    }


def _place(each: PlaceDifference) -> dict[str, object]:
    place = {name: getattr(each.place, name) for name in each.place.__slots__}
    return {**place, "stored_minor": each.stored_minor, "replayed_minor": each.replayed_minor}


def _journal(each: JournalDifference) -> dict[str, object]:
    side = each.stored or each.replayed
    assert isinstance(side, BookedJournal), "one of the sides has it"
    return {
        "journal_id": str(each.journal_id),
        "entity": side.entity,
        "kind": side.kind,
        "effective_date": side.effective_date.isoformat(),
        "stored": each.stored is not None,
        "replayed": each.replayed is not None,
        "differences": [_place(place) for place in each.places],
    }
