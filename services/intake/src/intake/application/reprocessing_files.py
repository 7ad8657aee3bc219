"""Reads kept files of payers again. What was never taken is taken now; what was announced is never announced twice.

A remittance that is read otherwise than when it was taken has been posted: its difference becomes a case with what differs. An
acknowledgement or status that is read otherwise is refused by name. What stays is told.
"""

from __future__ import annotations

from uuid import UUID

from canonical.ids import derive
from chassis.domain import Context, ContextSource
from chassis.eventstore import EventStore, Work, transact
from chassis.exceptions import ExceptionCase, raise_case
from chassis.exceptions.case import CaseState
from chassis.inbound import InboundMessage, MessageState
from chassis.inbound.taken_files import TakenFiles

from intake.application.comparing_files import Changed, Comparison, compare
from intake.application.judging_files import Verdicts, judge, quarantine_cases_of
from intake.application.ports import MasterDataSource, PayerFile
from intake.application.receiving_files import ReceivingFiles
from intake.application.rereadings import REASON, Original, Reread

READ_DIFFERENTLY = "RemittanceReadDifferently"
TAKEN_SINCE = "file: taken-since: the same bytes were accepted under another name, and are taken once"
SUMMARY_CHARACTERS_MAX = 500


class FileReprocessing:
    """One file at a time. Applying goes over several transactions, as taking does: stopped anywhere, it is gone on with."""

    def __init__(
        self, store: EventStore, files: ReceivingFiles, master_data: MasterDataSource, known: TakenFiles
    ) -> None:
        self._store = store
        self._files = files
        self._master_data = master_data
        self._known = known

    def reprocess(self, context: Context, original: Original, file: PayerFile, *, dry_run: bool) -> Reread:
        """What another reading of the file comes to; without `dry_run`, what may be taken is taken."""
        address = self._known.address_of(file.raw)
        before = Work(self._store, context).require(InboundMessage, original.message_id).state
        if self._known.name_of(address) not in (None, original.delivery_key):
            return Reread(original.message_id, before.value, before.value, (), (TAKEN_SINCE,))
        survey = file.survey()
        verdicts = judge(survey, original.message_id, self._master_data())
        found = compare(self._store, ContextSource(context), original.message_id, file, survey, verdicts)
        if not dry_run and (found.heads or found.answers):
            self._files.take_rest(context, original.message_id, file, survey, verdicts, found.heads, found.answers)

        def end(work: Work) -> Reread:
            return _ended(work, original.message_id, verdicts, found)

        if dry_run:
            return end(Work(self._store, context))
        if before is not MessageState.ACCEPTED and not verdicts.faults:
            self._known.note(address, original.delivery_key)
        return transact(self._store, context, end)


def _ended(work: Work, message_id: UUID, verdicts: Verdicts, found: Comparison) -> Reread:
    """The message with its verdict of now, and the cases that follow; nothing where all is as it was."""
    message = work.require(InboundMessage, message_id)
    before = message.state
    faults = tuple(finding for fault in verdicts.faults for finding in fault.findings)
    verdict = MessageState.QUARANTINED if faults else MessageState.ACCEPTED
    after = before if before is MessageState.ACCEPTED else verdict
    recorded = [*found.announced]
    notes = []
    for changed in found.changed:
        if _report(work, message_id, changed):
            recorded.append(f"case {READ_DIFFERENTLY}: remittance {changed.taken.remittance_id}")
        notes += [f"{line}; it was announced once, and is not again" for line in changed.lines]
    if recorded or after is not before or (after is not MessageState.ACCEPTED and faults != message.findings):
        kept = faults if after is MessageState.QUARANTINED else ()
        message.reprocess(after, REASON, kept)
        _settle(work, message_id, verdicts)
    return Reread(message_id, before.value, after.value, tuple(recorded), (*faults, *found.refused), tuple(notes))


def _report(work: Work, message_id: UUID, changed: Changed) -> bool:
    """One case for each difference, with what differs; whether it is a new one."""
    cause = derive("read-differently", changed.taken.receipt_id, changed.digest)
    mark = work.mark()
    raise_case(
        work,
        cause,
        code=READ_DIFFERENTLY,
        summary="; ".join(changed.lines)[:SUMMARY_CHARACTERS_MAX],
        subject="inbound-message",
        subject_id=message_id,
        entity=changed.taken.entity,
        amount=changed.amount,
    )
    return work.mark() != mark


def _settle(work: Work, message_id: UUID, verdicts: Verdicts) -> None:
    """Ends the cases of what was in quarantine and is no longer."""
    still = {fault.cause for fault in verdicts.faults}
    sound = {message_id, *(head.receipt_id for head in verdicts.heads)} - still
    held = [case_id for cause in sorted(sound, key=str) for case_id in quarantine_cases_of(cause)]
    work.prefetch(held)
    for case_id in held:
        case = work.get(ExceptionCase, case_id)
        if case is not None and case.is_open:
            case.end(CaseState.CORRECTED, REASON)
