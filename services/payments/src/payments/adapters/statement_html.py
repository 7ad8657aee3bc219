"""A statement as a page that every reader can use: headings, captions and scopes, in black on white, printed as it is seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from payments.domain.statement import Statement, StatementLine, Visit
from payments.domain.statement_words import TITLE, Said, day, dollars, headings_of, lines_of, notes_on, said_of, to_pay

_STYLE = """
:root { color-scheme: light; }
body { font: 1.125rem/1.5 system-ui, "DejaVu Sans", Arial, sans-serif; color: #1a1a1a; background: #fff; margin: 0; }
main { max-width: 46rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 2rem; margin: 0 0 .5rem; }
h2 { font-size: 1.35rem; margin: 2.25rem 0 .5rem; }
.pay { font-size: 1.5rem; font-weight: 700; border: 3px solid #0b3d66; padding: .75rem 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.5rem; }
dt { font-weight: 700; }
dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: 0 0 1rem; }
caption { text-align: left; color: #333; padding: .25rem 0; }
th, td { text-align: left; padding: .35rem .5rem; border-bottom: 1px solid #767676; vertical-align: top; font-weight: 400; }
thead th, .sum th, .sum td { font-weight: 700; }
.sum th, .sum td { border-bottom: 2px solid #1a1a1a; }
.amount { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
@media print { main { max-width: none; padding: 0; } section { break-inside: avoid; } }
""".strip()


def html_of(statement: Statement, entity_name: str = "") -> str:
    """The whole page, with nothing loaded from elsewhere."""
    headings = headings_of(statement)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{TITLE} of {escape(day(statement.as_of))}</title>",
            f"<style>\n{_STYLE}\n</style>",
            "</head>",
            "<body>",
            "<main>",
            *_head(statement, entity_name or statement.entity),
            *(line for visit in statement.visits for line in _visit(visit, headings[visit.encounter_id])),
            *_ages(statement),
            *_lines(statement),
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _head(statement: Statement, entity_name: str) -> list[str]:
    terms = (
        ("From", entity_name),
        ("Date", day(statement.as_of)),
        ("Account", str(statement.account_id)),
        *(("Who answers for it", str(guarantor)) for guarantor in statement.guarantors),
        ("You owe", dollars(statement.balance)),
    )
    return [
        f"<h1>{TITLE}</h1>",
        f'<p class="pay">{escape(to_pay(statement))}</p>',
        "<dl>",
        *(f"<dt>{term}</dt><dd>{escape(told)}</dd>" for term, told in terms),
        "</dl>",
        *(f"<p>{escape(note)}</p>" for note in notes_on(statement)),
    ]


def _visit(visit: Visit, heading: str) -> list[str]:
    caption = f"How your part of this visit comes about. Visit number {visit.encounter_id}."
    return _section(f"visit-{visit.encounter_id}", escape(heading), caption, said_of(visit))


def _said(said: Said) -> str:
    kind = ' class="sum"' if said.is_sum else ""
    return f'<tr{kind}><th scope="row">{escape(said.words)}</th>{_amount(dollars(said.amount))}</tr>'


def _ages(statement: Statement) -> list[str]:
    rows = [Said(name, amount) for name, amount in statement.ages]
    return _section("ages", "How long it has been open", "What you owe, by how long you have owed it.", rows)


def _lines(statement: Statement) -> list[str]:
    total = dollars(statement.balance - statement.unapplied)
    return _table(
        "lines",
        "Every line of your account",
        "What made up your account, in the order we learned of it. A minus lowers what you owe.",
        ("Date", "What", "Amount"),
        [
            *(_line(line, words) for line, words in lines_of(statement)),
            f'<tr class="sum"><th scope="row" colspan="2">All lines together</th>{_amount(total)}</tr>',
        ],
    )


def _section(name: str, heading: str, caption: str, rows: Iterable[Said]) -> list[str]:
    return _table(name, heading, caption, ("What", "Amount"), map(_said, rows))


def _table(name: str, heading: str, caption: str, columns: Sequence[str], rows: Iterable[str]) -> list[str]:
    *texts, amount = columns
    heads = "".join(f'<th scope="col">{text}</th>' for text in texts)
    return [
        f'<section aria-labelledby="{name}">',
        f'<h2 id="{name}">{heading}</h2>',
        "<table>",
        f"<caption>{caption}</caption>",
        f'<thead><tr>{heads}<th scope="col" class="amount">{amount}</th></tr></thead>',
        "<tbody>",
        *rows,
        "</tbody>",
        "</table>",
        "</section>",
    ]


def _line(line: StatementLine, words: str) -> str:
    cells = f"<td>{escape(words)}</td>{_amount(dollars(line.amount))}"
    return f'<tr><th scope="row">{day(line.on)}</th>{cells}</tr>'


def _amount(told: str) -> str:
    return f'<td class="amount">{told}</td>'
