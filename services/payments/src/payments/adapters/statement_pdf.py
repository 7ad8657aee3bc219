"""A statement as a PDF for the post: the same words and numbers as the page, with real text, a title and a language."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from io import BytesIO

from reportlab.lib import colors
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from payments.domain.statement import Statement
from payments.domain.statement_words import TITLE, Said, day, dollars, headings_of, lines_of, notes_on, said_of, to_pay

_TEXT = ParagraphStyle("text", fontName="Helvetica", fontSize=11, leading=15)
_AMOUNT = ParagraphStyle("amount", parent=_TEXT, alignment=2)
_TITLE = ParagraphStyle("title", parent=_TEXT, fontName="Helvetica-Bold", fontSize=20, leading=26)
_HEADING = ParagraphStyle("heading", parent=_TEXT, fontName="Helvetica-Bold", fontSize=14, leading=20, spaceBefore=14)
_PAY = ParagraphStyle("pay", parent=_TITLE, fontSize=16, leading=24, spaceBefore=6, spaceAfter=6)
_WIDTH = 6.5 * inch
_AMOUNT_WIDTH = 1.3 * inch
_DATE_WIDTH = 1.7 * inch


def pdf_of(statement: Statement, entity_name: str = "") -> bytes:
    """The whole document; the same statement gives the same bytes."""
    file = BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=LETTER,
        leftMargin=inch,
        rightMargin=inch,
        title=f"{TITLE} of {day(statement.as_of)}",
        author=entity_name or statement.entity,
        lang="en-US",
        invariant=True,
    )
    document.build(_content(statement, entity_name or statement.entity))
    return file.getvalue()


def _content(statement: Statement, entity_name: str) -> list[Flowable]:
    content: list[Flowable] = [
        Paragraph(TITLE, _TITLE),
        Paragraph(_plain(to_pay(statement)), _PAY),
        *(
            Paragraph(_plain(told), _TEXT)
            for told in (
                f"From {entity_name}, on {day(statement.as_of)}",
                f"Account {statement.account_id}",
                *(f"Who answers for it: {guarantor}" for guarantor in statement.guarantors),
                f"You owe {dollars(statement.balance)}",
                *notes_on(statement),
            )
        ),
    ]
    headings = headings_of(statement)
    for visit in statement.visits:
        rows = [_row(said) for said in said_of(visit)]
        content.append(_part(headings[visit.encounter_id], rows, (_WIDTH - _AMOUNT_WIDTH, _AMOUNT_WIDTH)))
    ages = [_row(Said(name, amount)) for name, amount in statement.ages]
    content.append(_part("How long it has been open", ages, (_WIDTH - _AMOUNT_WIDTH, _AMOUNT_WIDTH)))
    lines = [
        [*_cells(day(line.on), escape(words)), _amount(dollars(line.amount))] for line, words in lines_of(statement)
    ]
    lines.append([*_cells("<b>All lines together</b>", ""), _amount(dollars(statement.balance - statement.unapplied))])
    widths = (_DATE_WIDTH, _WIDTH - _DATE_WIDTH - _AMOUNT_WIDTH, _AMOUNT_WIDTH)
    content += [Paragraph("Every line of your account", _HEADING), _table(lines, widths)]
    return content


def _part(heading: str, rows: list[list[Paragraph]], widths: tuple[float, ...]) -> Flowable:
    return KeepTogether([Paragraph(heading, _HEADING), _table(rows, widths), Spacer(1, 4)])


def _table(rows: list[list[Paragraph]], widths: tuple[float, ...]) -> Table:
    line = ("LINEBELOW", (0, 0), (-1, -1), 0.5, colors.HexColor("#767676"))
    return Table(rows, colWidths=widths, style=TableStyle([line, ("VALIGN", (0, 0), (-1, -1), "TOP")]))


def _row(said: Said) -> list[Paragraph]:
    words, amount = _plain(said.words), dollars(said.amount)
    if said.is_sum:
        return [Paragraph(f"<b>{words}</b>", _TEXT), Paragraph(f"<b>{_plain(amount)}</b>", _AMOUNT)]
    return [Paragraph(words, _TEXT), _amount(amount)]


def _cells(*texts: str) -> Iterable[Paragraph]:
    return (Paragraph(text, _TEXT) for text in texts)


def _amount(told: str) -> Paragraph:
    return Paragraph(_plain(told), _AMOUNT)


def _plain(text: str) -> str:
    """Text for a paragraph. The fonts that every reader has know a hyphen for the minus sign."""
    return escape(text).replace("\N{MINUS SIGN}", "-")
