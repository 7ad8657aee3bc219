"""What we decide on each real file beside what its index suggests, and the page in `docs/` that says so with the reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from x12.findings import Severity, Verdict
from x12.inspection import Inspection, inspect
from x12.rules import RULES, Rule

_REASONS = {
    "unsupported_type": "Sound, but a message that we are never sent: nothing here would know what to do with it. It is kept and shown, "
    "never used.",
    "unsupported_version": "Sound, but of version 4010. We send 5010 only, so this answers nothing of ours; using it could only do harm.",
}
_REASONS_OF_FILES = {
    "x12/ack/uhin__TA1.edi": "The header is not padded, which we note, but each of its elements can be read; and IEA01 is 1 as senders of "
    "interchanges that hold a TA1 and no group write it. What the TA1 says of our interchange is worth more than its form.",
}
_HEAD = """# X12: our verdict on every real file

Written by a test (`THROUGHLINE_WRITE_VERDICTS=1 pytest libs/x12/tests/test_corpus.py`), which also keeps it in line with what the reader
does. The files and the suggestions are those of the index beside them (`INDEX.tsv`, columns `suggested_strict_verdict` and `peer_verdict`);
every fact of the index equals what the reader sees, but for the few listed last.

Words: `accepted` may be used; `quarantined` can be read, is kept aside and nothing of it is posted; `refused` cannot be used. To the index,
"999 R" and "TA1 R" are rejections: both of our stricter verdicts agree with one. "999 R or accept-with-findings" leaves it open.
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """One file: the index's suggestion and what its peer says, and our verdict with the rules that led to it."""

    file: str
    suggestion: str
    peer: str
    verdict: Verdict
    rules: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether the verdict is one that the suggestion justifies."""
        return self.verdict in _justified(self.suggestion)

    @property
    def reason(self) -> str:
        """Why we decide otherwise; empty where nobody has written it down."""
        return _REASONS_OF_FILES.get(self.file) or next((_REASONS[code] for code in self.rules if code in _REASONS), "")


def judged(file: str, suggestion: str, peer: str, raw: bytes) -> Judged:
    """Our verdict on a file of the index."""
    inspection = inspect(raw)
    return Judged(file, suggestion, peer, inspection.verdict, tuple(_rules(inspection)))


def _rules(inspection: Inspection) -> Iterator[str]:
    if inspection.refusal:
        yield inspection.refusal.code
    findings = [finding for each in inspection.interchanges for finding in each.findings]
    findings += [
        finding for each in inspection.interchanges for found in each.transaction_sets for finding in found.findings
    ]
    grave = [finding for finding in findings if finding.severity is not Severity.NOTE]
    yield from Counter(finding.code for finding in sorted(grave, key=lambda each: each.severity is not Severity.REFUSE))


def _justified(suggestion: str) -> frozenset[Verdict]:
    if suggestion.startswith("999 R or accept"):
        return frozenset(Verdict)
    if suggestion.startswith(("ACCEPT", "envelope OK", "expected acknowledgement")):
        return frozenset([Verdict.ACCEPTED])
    return frozenset([Verdict.QUARANTINED, Verdict.REFUSED])


def page(rows: Iterable[Judged], facts: Iterable[tuple[str, str, str]]) -> str:
    """The page. `facts` are file, fact of the index and why ours is another."""
    rows = list(rows)
    apart = [row for row in rows if not row.agrees]
    open_ = [row for row in rows if row.agrees and row.suggestion.startswith("999 R or accept")]
    parts = [
        _HEAD,
        f"\n## Where we decide otherwise ({len(apart)} of {len(rows)})\n\n",
        "| file | suggested | ours | why |\n|---|---|---|---|\n",
    ]
    parts += [f"| {_name(row)} | {_cell(row.suggestion)} | {row.verdict} | {row.reason} |\n" for row in apart]
    parts += [
        f"\n## Where the index leaves it open ({len(open_)})\n\n",
        _OPEN,
        "| file | the peer says | ours | because of |\n|---|---|---|---|\n",
    ]
    parts += [f"| {_name(row)} | {_cell(row.peer)} | {row.verdict} | {_because(row)} |\n" for row in open_]
    parts += ["\n## Every file\n\n", "| file | suggested | ours | because of |\n|---|---|---|---|\n"]
    parts += [f"| {_name(row)} | {_cell(row.suggestion)} | {row.verdict} | {_because(row)} |\n" for row in rows]
    parts += ["\n## Facts that differ\n\n", "| file | the index says | why ours is another |\n|---|---|---|\n"]
    parts += [f"| `{file.removeprefix('x12/')}` | {_cell(fact)} | {why} |\n" for file, fact, why in facts]
    parts += [
        "\n## All rules\n\n",
        _POLICIES,
        "| rule | by default | may be only a finding | means |\n|---|---|---|---|\n",
    ]
    parts += [f"| `{rule.code}` | {rule.severity} | {_yes(rule)} | {rule.meaning} |\n" for rule in RULES.values()]
    return "".join(parts)


_OPEN = """The peer holds the whole guide against a file. We read for money: a missing contact, a place of service too long or a state that does not
exist is no reason to leave a payment unposted, and is none of what the books need. What the books do need, they get exactly or not at all.

"""


_POLICIES = """What follows from a rule is data, by trading partner (`trading_partners` of the master data, by ISA06): `finding`, `quarantine` or `refuse`.
Any rule may be made stricter. One that guards what is posted can never be a finding only.

"""


def _yes(rule: Rule) -> str:
    return "it is" if rule.severity is Severity.NOTE else "yes" if rule.eases else "no"


def _name(row: Judged) -> str:
    return f"`{row.file.removeprefix('x12/')}`"


def _because(row: Judged) -> str:
    return ", ".join(f"`{code}`" for code in row.rules) or "nothing wrong that matters"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
