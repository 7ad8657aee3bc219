"""`python -m tests.faults.erp_table`: many intents to every ERP through troubles and deaths, as the table of docs/erps/exactly-once.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.faults.erp_intents import Verdict
from tests.faults.erp_storm import Storm
from tests.faults.erp_subjects import SUBJECTS
from tests.integration.suite import Bench

PAGE = Path(__file__).resolve().parents[2] / "docs" / "erps" / "exactly-once.md"
SEED = 20260305
PORTIONS = 50
HEAD = """# Exactly one document, whatever the ERP does

Made by `python -m tests.faults.erp_table{arguments}`, seed {seed}. The real service posts on PostgreSQL; it is killed with `kill -9`, at a
step of its own (before and after the call to the ERP, before and after a commit), while the ERP is at work, or at any moment; and the ERP
misbehaves as counted below. In the end the ERP's own books, read beside every adapter, are compared with what was intended: each document's company, day,
accounts, parties and cents. *different* are documents that hold something else than was intended, *foreign* those that nobody intended.

| ERP | intents | killed | missing | twice | unbalanced | different | foreign | uncertain left | not confirmed |
|---|---|---|---|---|---|---|---|---|---|
"""


def main() -> int:
    """0 where every ERP holds each intent once, 1 where one does not."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.erp_table", description=__doc__)
    parser.add_argument("--intents", type=int, default=10_000, help="how many are sent to each simulated ERP")
    parser.add_argument("--tryton", type=int, default=1_000, help="how many are sent to the real Tryton")
    parser.add_argument(
        "--finance", type=int, default=1_000, help="how many to Finance, where each is an import by itself"
    )
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument(
        "--only", choices=list(SUBJECTS), action="append", help="this ERP, and no other that is not named"
    )
    parser.add_argument("--write", action="store_true", help="write docs/erps/exactly-once.md")
    arguments = parser.parse_args()
    names = arguments.only or list(SUBJECTS)
    own = {"tryton": arguments.tryton, "finance": arguments.finance}
    sizes = {name: own.get(name, arguments.intents) for name in names}
    told = f" --intents {arguments.intents} --tryton {arguments.tryton} --finance {arguments.finance}"
    verdicts: dict[str, Verdict] = {}
    for name, verdict in verdicts_of(sizes, arguments.seed):
        verdicts[name] = verdict
        print(f"{name}: {verdict}", file=sys.stderr)
        page = page_of(verdicts, arguments.seed, told)
        if arguments.write:
            PAGE.write_text(page, encoding="utf-8")
    print(page)
    return 0 if all(verdict.holds for verdict in verdicts.values()) else 1


def verdicts_of(sizes: Mapping[str, int], seed: int) -> Iterator[tuple[str, Verdict]]:
    """One ERP after the other, on one set of servers."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.start_servers()
        try:
            bench.prepare()
            for name, intents in sizes.items():
                yield name, Storm(bench, SUBJECTS[name], intents, min(PORTIONS, intents // 10), seed).run()
        finally:
            bench.stop()


def page_of(verdicts: Mapping[str, Verdict], seed: int, arguments: str) -> str:
    """The whole page."""
    rows = [_row(SUBJECTS[name].title, verdict) for name, verdict in verdicts.items()]
    troubles = sorted({fault for verdict in verdicts.values() for fault in verdict.struck})
    table = [f"| ERP | {' | '.join(troubles)} |", "|---|" + "---|" * len(troubles)]
    for name, verdict in verdicts.items():
        counts = " | ".join(str(verdict.struck[fault]) for fault in troubles)
        table.append(f"| {SUBJECTS[name].title} | {counts} |")
    struck = "\n".join(table) + "\n"
    return f"{HEAD.format(arguments=arguments, seed=seed)}{''.join(rows)}\nWhat the ERP did to calls, and how often it struck:\n\n{struck}"


def _row(title: str, verdict: Verdict) -> str:
    found = (verdict.missing, verdict.twice, verdict.unbalanced, verdict.different, verdict.foreign)
    counts = [verdict.intents, verdict.killed, *map(len, found), verdict.uncertain, verdict.not_confirmed]
    return f"| {title} | {' | '.join(map(str, counts))} |\n"


if __name__ == "__main__":
    raise SystemExit(main())
