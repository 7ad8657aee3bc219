"""Journals of the Business Central double: batches, their lines with dimensions, entity tags, and posting."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

from sandbox.erps.business_central_books import (
    GL_ACCOUNT,
    BusinessCentralBooks,
    BusinessCentralRefused,
    Company,
    Journal,
    JournalLine,
)
from sandbox.erps.business_central_lists import decimal_of, dimension_lines
from sandbox.erps.business_central_odata import Answer, Call, Json, check_tag, code_in, matcher

JOURNALS = "journals"
LINE_STEP = 10_000
POST = "Microsoft.NAV.post"
_PATH = re.compile(
    r"(journals)(?:\(([0-9a-f-]{36})\)(?:/(journalLines|Microsoft\.NAV\.post)(?:\(([0-9a-f-]{36})\))?)?)?"
)
_ENCODED = {"G/L Account": "G_x002F_L_x0020_Account", "Bank Account": "Bank_x0020_Account"}
_DECODED = {told: name for name, told in _ENCODED.items()}


class Journals:
    """Answers what is asked of journals. `stale_status` is how an entity tag that is not current any more is refused."""

    def __init__(self, books: BusinessCentralBooks) -> None:
        self.stale_status = 409
        self._books = books

    def answer(self, company: Company, rest: str, call: Call) -> Answer | None:
        """None where the call is about something else."""
        found = _PATH.fullmatch(rest)
        if found is None:
            return None
        kind, identity, part, line = found.groups()
        if identity is None:
            return self._of_all(company, kind, call)
        journal = self._books.journal(company, UUID(identity), kind)
        if part == POST:
            if call.method != "POST":
                raise _not_allowed(call)
            self._books.post(company, journal)
            return Answer(204)
        if part is None:
            return self._of_one(company, journal, call)
        return (
            self._of_lines(company, journal, call)
            if line is None
            else self._of_line(company, journal, UUID(line), call)
        )

    def _of_all(self, company: Company, kind: str, call: Call) -> Answer:
        expand = call.query.get("$expand", "")
        if call.method == "GET":
            wanted = matcher(call.query.get("$filter", ""))
            shown = [journal_json(each, expand) for each in company.journals.values() if each.kind == kind]
            return Answer(200, {"value": [each for each in shown if wanted(each.get)]})
        if call.method != "POST":
            raise _not_allowed(call)
        given = call.body.get("journalLines", [])
        lines: list[JournalLine] = []
        for each in given:
            lines.append(self._books.checked(company, _new_line(each, lines)))
        name = str(call.body.get("displayName", ""))
        journal = self._books.add_journal(company, kind, str(call.body.get("code", "")), name, lines)
        return Answer(201, journal_json(journal, "journalLines" if given else ""), _tag(journal))

    def _of_one(self, company: Company, journal: Journal, call: Call) -> Answer:
        if call.method == "GET":
            return Answer(200, journal_json(journal, call.query.get("$expand", "")), _tag(journal))
        check_tag(call, _tag(journal), self.stale_status)
        if call.method == "PATCH":
            journal.display_name = str(call.body.get("displayName", journal.display_name))
            journal.version += 1
            return Answer(200, journal_json(journal, ""), _tag(journal))
        if call.method == "DELETE":
            del company.journals[journal.id]
            return Answer(204)
        raise _not_allowed(call)

    def _of_lines(self, company: Company, journal: Journal, call: Call) -> Answer:
        if call.method == "GET":
            expand = call.query.get("$expand", "")
            return Answer(200, {"value": [line_json(journal, line, expand) for line in journal.lines]})
        if call.method != "POST":
            raise _not_allowed(call)
        line = self._books.checked(company, _new_line(call.body, journal.lines))
        journal.lines.append(line)
        return Answer(201, line_json(journal, line, ""), _line_tag(line))

    def _of_line(self, company: Company, journal: Journal, identity: UUID, call: Call) -> Answer:
        line = journal.line(identity)
        if call.method == "GET":
            return Answer(200, line_json(journal, line, call.query.get("$expand", "")), _line_tag(line))
        check_tag(call, _line_tag(line), self.stale_status)
        if call.method == "DELETE":
            journal.lines.remove(line)
            return Answer(204)
        if call.method != "PATCH":
            raise _not_allowed(call)
        changed = replace(_changed(line, call.body), version=line.version + 1)
        journal.lines[journal.lines.index(line)] = self._books.checked(company, changed)
        return Answer(200, line_json(journal, changed, ""), _line_tag(changed))


def journal_json(journal: Journal, expand: str) -> Json:
    shown: Json = {
        "@odata.etag": _tag(journal),
        "id": str(journal.id),
        "code": journal.code,
        "displayName": journal.display_name,
        "templateDisplayName": "GENERAL",
        "balancingAccountNumber": "",
    }
    if "journalLines" in expand:
        shown["journalLines"] = [line_json(journal, line, expand) for line in journal.lines]
    return shown


def line_json(journal: Journal, line: JournalLine, expand: str) -> Json:
    shown: Json = {
        "@odata.etag": _line_tag(line),
        "id": str(line.id),
        "journalId": str(journal.id),
        "journalDisplayName": journal.code,
        "lineNumber": line.number,
        "accountType": _ENCODED.get(line.account_type, line.account_type),
        "accountNumber": line.account,
        "postingDate": line.posting_date.isoformat(),
        "documentNumber": line.document,
        "externalDocumentNumber": line.external_document,
        "amount": decimal_of(line.cents),
        "description": line.description,
    }
    if "dimensionSetLines" in expand:
        shown["dimensionSetLines"] = dimension_lines(line.dimensions, line.id, "Journal_x0020_Line")
    return shown


def _tag(journal: Journal) -> str:
    return f'W/"journal;{journal.id};{journal.version}"'


def _line_tag(line: JournalLine) -> str:
    return f'W/"line;{line.id};{line.version}"'


def _new_line(told: Json, others: list[JournalLine]) -> JournalLine:
    number = max((each.number for each in others), default=0) + LINE_STEP
    empty = JournalLine(uuid4(), number, GL_ACCOUNT, "", date.min, "", "", 0, "", {})
    return _changed(empty, told)


def _changed(line: JournalLine, told: Json) -> JournalLine:
    """A line with what was told of it; what is not a field of a journal line is refused."""
    readers: Mapping[str, tuple[str, Callable[[object], object]]] = {
        "lineNumber": ("number", lambda value: int(str(value))),
        "accountType": ("account_type", lambda value: _DECODED.get(str(value), str(value))),
        "accountNumber": ("account", code_in),
        "postingDate": ("posting_date", lambda value: date.fromisoformat(str(value))),
        "documentNumber": ("document", code_in),
        "externalDocumentNumber": ("external_document", code_in),
        "amount": ("cents", lambda value: int(Decimal(str(value)).scaleb(2).to_integral_exact())),
        "description": ("description", str),
        "dimensionSetLines": ("dimensions", _dimensions),
    }
    unknown = set(told) - set(readers)
    if unknown:
        words = f"The property '{sorted(unknown)[0]}' does not exist on type 'Microsoft.NAV.journalLine'."
        raise BusinessCentralRefused(400, "BadRequest", words)
    changes = {readers[name][0]: readers[name][1](value) for name, value in told.items()}
    return replace(line, **changes)  # type: ignore[arg-type]


def _dimensions(told: object) -> Mapping[str, str]:
    assert isinstance(told, list), "dimension set lines are a list"
    return {code_in(each["code"]): code_in(each["valueCode"]) for each in told}


def _not_allowed(call: Call) -> BusinessCentralRefused:
    return BusinessCentralRefused(405, "BadRequest_MethodNotAllowed", f"'{call.method}' requests are not allowed here.")
