"""The facts of a suite's streams, handed to the ledger's own rules, which run in a process of their own and write nothing."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from canonical.money import Money
from sandbox.commands import CommandFailed
from sandbox.processes import DidNotStart

from throughline.checker.evidence import Evidence, NoEvidence
from throughline.checker.reading.streams import NatsReader, NatsUnreadable
from throughline.checker.servers import servers_running
from throughline.connection import MASTER_DATA
from throughline.outcome import Unreachable
from throughline.screen import Column, say, show_table
from throughline.stack.composition import plain_environment
from throughline.wire import amount_text

UPSTREAMS = ("intake", "claims", "payments")
REPLAY_SECONDS_MAX = 3600
JOURNALS_SHOWN_MAX = 20
_PLACES = (
    Column("entity"),
    Column("account"),
    Column("party"),
    Column("dimensions", flexible=True),
    Column("booked", right=True),
    Column("replayed", right=True),
    Column("difference", right=True),
)
_JOURNALS = (Column("journal"), Column("entity"), Column("kind"), Column("date"), Column("what"))
_DIMENSIONS = ("payer_class", "department", "cost_center", "location")

Told = dict[str, Any]


def replayed(folder: Path, entity: str, site_rules: Path | None) -> Told:
    """What the ledger's rules make of all facts, beside what its log holds.

    Raises:
        Unreachable: a stream or the log cannot be read, or a stream no longer keeps its oldest messages.
    """
    try:
        evidence = Evidence.read(folder)
        with servers_running(folder, with_erp=False), tempfile.TemporaryDirectory() as facts:
            with NatsReader(evidence.nats) as streams:
                for upstream in UPSTREAMS:
                    write_facts(streams, upstream, Path(facts) / f"{upstream}.jsonl")
            return _run(Path(facts), evidence.dsns["ledger"], folder / MASTER_DATA, entity, site_rules)
    except (NoEvidence, NatsUnreadable, DidNotStart, CommandFailed) as failure:
        raise Unreachable(str(failure)) from None


def write_facts(streams: NatsReader, upstream: str, path: Path) -> None:
    """One message a line.

    Raises:
        Unreachable: the stream no longer keeps its oldest messages, so that a replay could not be whole.
    """
    first, last = streams.bounds(upstream)
    if first > 1:
        raise Unreachable(f"the stream of {upstream} begins at {first}; refill it from its store before a replay")
    with path.open("w", encoding="utf-8") as lines:
        for message in streams.messages(upstream, first, last):
            told = {
                "subject": message.subject,
                "headers": dict(message.headers),
                "data": base64.b64encode(message.data).decode(),
                "sequence": message.sequence,
            }
            lines.write(json.dumps(told) + "\n")


def _run(facts: Path, dsn: str, master_data: Path, entity: str, site_rules: Path | None) -> Told:
    told = {"DATABASE_URL": dsn, "MASTER_DATA_PATH": str(master_data), "REPLAY_ENTITY": entity}
    if site_rules is not None:
        told["SITE_RULES_PATH"] = str(site_rules.resolve())
    done = subprocess.run(
        [sys.executable, "-m", "ledger_adapter.main", "replay", str(facts)],
        env=plain_environment() | {f"THROUGHLINE_{name}": value for name, value in told.items()},
        capture_output=True,
        text=True,
        timeout=REPLAY_SECONDS_MAX,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().rsplit("\n", 1)[-1]
        raise Unreachable(f"the ledger's rules cannot be run: {last[:400]}")
    outcome: Told = json.loads(done.stdout)
    return outcome


def tell_replay(told: Told) -> None:
    """A sentence, the hashes, and the differences."""
    rate = round(told["facts"] / told["seconds"]) if told["seconds"] else 0
    say(f"{told['facts']} facts replayed in {told['seconds']} s ({rate}/s); nothing was posted.")
    say(f"booked    {told['stored_hash']} ({told['stored_journals']} journals)")
    say(f"replayed  {told['replayed_hash']} ({told['replayed_journals']} journals)")
    if told["same"]:
        say("The same journals, to the byte.")
        return
    if told["differences"]:
        show_table(_PLACES, map(_place, told["differences"]), title="By account, party and dimensions")
    if told["journals"]:
        show_table(_JOURNALS, map(_journal, told["journals"][:JOURNALS_SHOWN_MAX]), title="Journals that differ")
    say(
        f"{told['journals_that_differ']} journals differ; {len(told['only_stored_postings'])} postings are booked and not "
        f"replayed, {len(told['only_replayed_postings'])} the other way round."
    )


def _place(each: Told) -> list[str]:
    stored, now = each["stored_minor"], each["replayed_minor"]
    dimensions = ", ".join(each[name] for name in _DIMENSIONS if each[name])
    amounts = [amount_text(Money(minor)) for minor in (stored, now, now - stored)]
    return [each["entity"], each["account"], each["party"], dimensions, *amounts]


def _journal(each: Told) -> list[str]:
    what = (
        "other lines" if each["stored"] and each["replayed"] else "only booked" if each["stored"] else "only replayed"
    )
    return [each["journal_id"], each["entity"], each["kind"], each["effective_date"], what]
