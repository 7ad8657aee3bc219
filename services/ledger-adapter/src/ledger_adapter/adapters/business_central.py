"""Dynamics 365 Business Central over API v2.0: one journal a document, made whole and then posted.

Posting takes whatever lies in a journal, so that no two documents share one. The code of the journal follows from our number:
it cannot be made twice, and an empty one that is still there has been posted. It is removed when its entries have been read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx
from canonical.codes import Dimension
from chassis.domain import Unavailable

from ledger_adapter.adapters.books import Books, ErpSettings
from ledger_adapter.adapters.business_central_client import (
    BusinessCentralClient,
    BusinessCentralConnection,
    Inner,
    NotAnswered,
)
from ledger_adapter.adapters.business_central_drafts import Draft, Drafting
from ledger_adapter.adapters.business_central_reading import BusinessCentralReading, WaitingJournal
from ledger_adapter.adapters.business_central_words import KEY_EXISTS, error_in, is_nothing_to_post, refusal_in
from ledger_adapter.adapters.erp_quota import ErpQuota, QuotaSettings
from ledger_adapter.application.ports import (
    AccountBalance,
    DimensionBalance,
    ErpDocument,
    ErpJournal,
    ErpUncertain,
    FiscalPeriod,
    Pending,
    Posted,
    RefusalKind,
    Refused,
)

Answer = Posted | Refused | Pending


@dataclass(frozen=True, slots=True)
class _Ready:
    """A journal that lies at the ERP, whole; `is_new` where it was made just now."""

    number: str
    id: str
    etag: str
    is_new: bool


@dataclass(slots=True)
class _Slice:
    """Some documents on their way; what has no answer in the end is asked for by its number."""

    company: str
    answers: dict[str, Answer] = field(default_factory=dict)
    to_make: list[Draft] = field(default_factory=list)
    to_remove: list[WaitingJournal] = field(default_factory=list)
    ready: list[_Ready] = field(default_factory=list)


class BusinessCentralErp:
    """One Business Central environment that keeps the books of some entities, each as a company."""

    def __init__(
        self,
        name: str,
        connection: BusinessCentralConnection,
        books: Mapping[str, Books],
        *,
        quota: ErpQuota | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._name = name
        self._books = books
        self._documents_per_batch = connection.documents_per_batch
        quota = quota or ErpQuota(name, QuotaSettings())
        self._client = BusinessCentralClient(name, connection, quota, transport=transport)
        self._reading = BusinessCentralReading(name, self._client, books, connection.party_dimension)
        self._drafting = Drafting(connection.party_dimension, connection.customer_accounts)

    @classmethod
    def configured(cls, name: str, settings: ErpSettings, books: Mapping[str, Books]) -> BusinessCentralErp:
        """From the books configuration; needs `connection_file`."""
        connection = BusinessCentralConnection.read(settings.connection_path(name))
        return cls(name, connection, books, quota=ErpQuota(name, settings.quota))

    @property
    def name(self) -> str:
        return self._name

    def find(self, entity: str, numbers: Sequence[str]) -> Mapping[str, ErpDocument | Pending]:
        """What is posted, and what was posted and is not shown yet. Removes the journals of what is found."""
        lying, documents = self._held(entity, numbers)
        journals = {number: journal for number, journal in lying.items() if journal.name == number}
        self._remove(self._reading.company(entity), [journals[number] for number in documents if number in journals])
        emptied = {number: Pending() for number, journal in journals.items() if not journal.lines}
        return emptied | documents

    def post(self, entity: str, documents: Sequence[ErpJournal]) -> Mapping[str, Answer]:
        """
        Raises:
            Unavailable: nothing was posted.
            ErpUncertain: nothing was answered, and some may have been posted.
        """
        answers: dict[str, Answer] = {}
        drafts: list[Draft] = []
        for document in documents:
            draft = self._drafting.draft(self._books[entity].chart, document)
            if isinstance(draft, Refused):
                answers[document.number] = draft
            else:
                drafts.append(draft)
        for start in range(0, len(drafts), self._documents_per_batch):
            try:
                answers |= self._post_some(entity, drafts[start : start + self._documents_per_batch])
            except Unavailable:
                if start or answers:
                    return answers
                raise
            except NotAnswered as unknown:
                if answers:
                    return answers
                raise ErpUncertain(str(unknown)) from unknown
        return answers

    def balances(self, entity: str) -> Sequence[AccountBalance]:
        return self._reading.balances(entity)

    def dimensions(self, entity: str) -> frozenset[Dimension]:
        return frozenset(self._books[entity].chart.dimensions)

    def dimension_balances(self, entity: str) -> Sequence[DimensionBalance]:
        return self._reading.dimension_balances(entity)

    def periods(self, entity: str) -> Sequence[FiscalPeriod]:
        return self._reading.periods(entity)

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()

    def _held(self, entity: str, numbers: Sequence[str]) -> tuple[dict[str, WaitingJournal], dict[str, ErpDocument]]:
        """The journals first, and then what is posted: what emptied a journal before we looked is then among the entries."""
        journals = self._reading.journals(entity, numbers)
        return journals, self._reading.documents(entity, numbers)

    def _post_some(self, entity: str, drafts: Sequence[Draft]) -> Mapping[str, Answer]:
        """
        Raises:
            Unavailable: none of these was posted.
            NotAnswered: some of these may have been posted.
        """
        journals, documents = self._held(entity, [draft.number for draft in drafts])
        some = _Slice(self._reading.company(entity))
        for draft in drafts:
            if draft.number in documents:
                held = documents[draft.number]
                some.answers[draft.number] = Refused(RefusalKind.NUMBER_TAKEN, f"it is G/L entry {held.document_id}")
            else:
                _sort_into(some, draft, journals.get(draft.number))
        self._remove(some.company, some.to_remove)
        self._make(some)
        self._post_ready(entity, some)
        return some.answers

    def _make(self, some: _Slice) -> None:
        """Makes the journals with their lines, each in one transaction, which posts nothing.

        Raises:
            Unavailable: no journal is there that could be posted.
        """
        if not some.to_make:
            return
        url = f"{some.company}/journals"
        try:
            parts = self._client.batch([Inner("POST", url, draft.body) for draft in some.to_make])
        except NotAnswered as unknown:
            raise Unavailable(f"journals were not made for certain: {unknown}") from unknown
        for draft, part in zip(some.to_make, parts, strict=True):
            if part is not None and part.is_success:
                some.ready.append(_Ready(draft.number, part.body["id"], part.body["@odata.etag"], is_new=True))
            elif part is not None and part.is_refusal and error_in(part.body)[0] != KEY_EXISTS:
                some.answers[draft.number] = refusal_in(part.status, part.body)

    def _post_ready(self, entity: str, some: _Slice) -> None:
        """Posts the journals and reads the entries back; a journal that was refused does not stay.

        Raises:
            Unavailable: none was posted.
            NotAnswered: some may have been posted.
        """
        if not some.ready:
            return
        url = f"{some.company}/journals({{}})/Microsoft.NAV.post"
        parts = self._client.batch([Inner("POST", url.format(ready.id)) for ready in some.ready])
        done: list[str] = []
        refused: list[WaitingJournal] = []
        for ready, part in zip(some.ready, parts, strict=True):
            if part is None:
                continue
            if part.is_success:
                done.append(ready.number)
            elif part.is_refusal and (ready.is_new or not is_nothing_to_post(part.body)):
                some.answers[ready.number] = refusal_in(part.status, part.body)
                refused.append(WaitingJournal(ready.id, ready.etag, ready.number, ()))
        self._remove(some.company, refused)
        some.answers |= self._read_back(entity, done)

    def _read_back(self, entity: str, numbers: Sequence[str]) -> Mapping[str, Answer]:
        """The answer to a posting has no content; what the entries do not show yet is pending."""
        if not numbers:
            return {}
        try:
            found = self._reading.documents(entity, numbers)
        except Unavailable:
            return {number: Pending() for number in numbers}
        return {number: Posted(found[number].document_id) if number in found else Pending() for number in numbers}

    def _remove(self, company: str, journals: Sequence[WaitingJournal]) -> None:
        """Removes journals as we saw them; what cannot be removed now is met again under its number, and is no harm until then."""
        if not journals:
            return
        calls = [Inner("DELETE", f"{company}/journals({each.id})", etag=each.etag) for each in journals]
        try:
            for start in range(0, len(calls), self._documents_per_batch):
                self._client.batch(calls[start : start + self._documents_per_batch])
        except (Unavailable, NotAnswered):
            return


def _sort_into(some: _Slice, draft: Draft, journal: WaitingJournal | None) -> None:
    """What becomes of a document, by the journal that an earlier attempt has left.

    Lines of ours were made whole and may be posted under way at this moment: posting them again finds them gone. Other lines
    were never posted by us, and go.
    """
    if journal is None:
        some.to_make.append(draft)
    elif journal.name != draft.number:
        some.answers[draft.number] = Refused(
            RefusalKind.UNCLASSIFIED, f"journal {journal.id} has its code and not its name"
        )
    elif not journal.lines:
        some.answers[draft.number] = Pending()
    elif draft.is_held_by(journal.lines):
        some.ready.append(_Ready(draft.number, journal.id, journal.etag, is_new=False))
    else:
        some.to_remove.append(journal)
        some.to_make.append(draft)
