"""The books of a running suite, by gRPC; each thing is asked for once in one trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from billing.claims.v1 import claims_pb2, claims_pb2_grpc
from billing.intake.v1 import intake_pb2, intake_pb2_grpc
from billing.ledger.v1 import ledger_pb2, ledger_pb2_grpc
from billing.payments.v1 import (
    account_work_pb2,
    account_work_pb2_grpc,
    patient_accounts_pb2,
    patient_accounts_pb2_grpc,
    patient_payments_pb2,
    patient_payments_pb2_grpc,
    payments_pb2,
    payments_pb2_grpc,
)

from throughline.connection import SERVICES, Access, Service
from throughline.operations.calls import Operations
from throughline.operations.cases import Case, find
from throughline.outcome import Failure, NotFound, Refused, Unusable
from throughline.screen import progress
from throughline.tracing import translation
from throughline.tracing.books import State
from throughline.tracing.records import Claim, Decision, Encounter, ErpAnswer, Journal, Message, Remittance

PARTS_PAGE = 2000
LIST_MAX = 5000
JOURNALS_MAX = 1000
ENCOUNTERS_SEARCHED_MAX = 1000
AT_ERP = ("posted", "confirmed")
_Found = TypeVar("_Found")


class GrpcBooks:
    """Answers from the services. What was not found is remembered too."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._operations = Operations(access)
        self._intake = intake_pb2_grpc.IntakeServiceStub(access.channel("intake"))
        self._claims = claims_pb2_grpc.ClaimsServiceStub(access.channel("claims"))
        self._payments = payments_pb2_grpc.PaymentsServiceStub(access.channel("payments"))
        self._accounts = patient_accounts_pb2_grpc.PatientAccountsServiceStub(access.channel("payments"))
        self._patients = patient_payments_pb2_grpc.PatientPaymentsServiceStub(access.channel("payments"))
        self._work = account_work_pb2_grpc.AccountWorkServiceStub(access.channel("payments"))
        self._ledger = ledger_pb2_grpc.LedgerServiceStub(access.channel("ledger"))
        self._known: dict[tuple[object, ...], object] = {}

    def journal(self, reference: str) -> Journal | None:
        return self._once(("journal", reference), lambda: self._read_journal(reference))

    def _read_journal(self, reference: str) -> Journal:
        pages: list[ledger_pb2.GetJournalEntryResponse] = []
        token = ""
        with progress("reading the parts of the entry", None) as steps:
            while token or not pages:
                request = ledger_pb2.GetJournalEntryRequest(journal=reference, page_size=PARTS_PAGE, page_token=token)
                pages.append(self._access.call("ledger", self._ledger.GetJournalEntry, request))
                token = pages[-1].next_page_token
                steps.advance()
        return translation.journal(pages[0].journal, [part for page in pages for part in page.parts])

    def journal_of_document(self, erp_document: str) -> Journal | None:
        request = ledger_pb2.ListJournalsRequest(limit=JOURNALS_MAX)
        for found in self._access.call("ledger", self._ledger.ListJournals, request).journals:
            if found.erp_document == erp_document:
                return self.journal(found.journal_id)
        return None

    def erp_document(self, journal: Journal) -> ErpAnswer:
        request = ledger_pb2.ReadErpDocumentsRequest(entity=journal.entity, external_numbers=[journal.external_number])
        try:
            answer = self._access.call("ledger", self._ledger.ReadErpDocuments, request)
        except Failure as failure:
            return ErpAnswer(note=f"the ERP could not be read: {failure.message}")
        for document in answer.documents:
            return translation.erp_answer(answer.erp, document)
        lines = () if journal.state in AT_ERP else None
        return ErpAnswer(answer.erp, lines=lines, note=f"{answer.erp} holds nothing under {journal.external_number}")

    def claim(self, claim_id: str) -> tuple[Claim, Sequence[Decision]] | None:
        def read() -> tuple[Claim, Sequence[Decision]]:
            request = claims_pb2.GetClaimRequest(claim_id=claim_id)
            answer = self._access.call("claims", self._claims.GetClaim, request)
            number = answer.claim.patient_control_number
            decisions = [translation.decision(each, number) for each in answer.adjudications]
            return translation.claim(answer.claim), decisions

        return self._once(("claim", claim_id), read)

    def claims_numbered(self, control_number: str) -> Sequence[Claim]:
        return self._find_claims(claims_pb2.FindClaimRequest(patient_control_number=control_number))

    def claims_of_encounter(self, encounter_id: str) -> Sequence[Claim]:
        return self._find_claims(claims_pb2.FindClaimRequest(encounter_id=encounter_id))

    def _find_claims(self, request: claims_pb2.FindClaimRequest) -> Sequence[Claim]:
        return [translation.claim(each) for each in self._access.call("claims", self._claims.FindClaim, request).claims]

    def decision(self, remittance_id: str, position: int) -> Decision | None:
        def read() -> Decision:
            request = claims_pb2.ListAdjudicationsRequest(remittance_id=remittance_id, position_from=position, limit=1)
            answer = self._access.call("claims", self._claims.ListAdjudications, request)
            for each in answer.adjudications:
                if each.position == position:
                    found = self.claim(each.claim_id)
                    return translation.decision(each, found[0].control_number if found else "")
            raise NotFound(f"no decision {position} of remittance {remittance_id}")

        return self._once(("decision", remittance_id, position), read)

    def unknown_payment(self, remittance_id: str, position: int) -> Decision | None:
        def read() -> Decision:
            request = claims_pb2.ListAdjudicationsRequest(remittance_id=remittance_id, position_from=position, limit=1)
            for unknown in self._access.call("claims", self._claims.ListAdjudications, request).unknown_payments:
                if unknown.position == position:
                    return translation.unknown_payment(unknown)
            raise NotFound(f"no payment {position} of remittance {remittance_id} without a claim")

        return self._once(("unknown", remittance_id, position), read)

    def remittance(self, remittance_id: str) -> Remittance | None:
        def read() -> Remittance:
            request = payments_pb2.GetRemittanceRequest(remittance_id=remittance_id)
            answer = self._access.call("payments", self._payments.GetRemittance, request)
            if not answer.HasField("remittance"):
                raise NotFound(f"no copy of remittance {remittance_id} was accepted")
            return translation.remittance(answer.remittance)

        return self._once(("remittance", remittance_id), read)

    def encounter(self, encounter_id: str) -> Encounter | None:
        def read() -> Encounter:
            request = intake_pb2.GetEncounterRequest(encounter_id=encounter_id)
            return translation.encounter(self._access.call("intake", self._intake.GetEncounter, request))

        return self._once(("encounter", encounter_id), read)

    def encounters_of_message(self, message_id: str) -> Sequence[Encounter]:
        request = intake_pb2.ListEncountersRequest(limit=ENCOUNTERS_SEARCHED_MAX)
        listed = self._access.call("intake", self._intake.ListEncounters, request).encounters
        with progress("searching encounters", len(listed)) as steps:
            found = []
            for each in listed:
                encounter = self.encounter(each.encounter_id)
                if encounter and any(charge.message_id == message_id for charge in encounter.charges):
                    found.append(encounter)
                steps.advance()
        return found

    def remittances_of_message(self, message_id: str) -> Sequence[str]:
        request = intake_pb2.ListReceiptsRequest(message_id=message_id, limit=LIST_MAX)
        answer = self._access.call("intake", self._intake.ListReceipts, request)
        return list(dict.fromkeys(receipt.remittance_id for receipt in answer.receipts))

    def money_of_message(self, message_id: str) -> Sequence[str]:
        payments = self._access.call(
            "payments", self._payments.ListPayments, payments_pb2.ListPaymentsRequest(limit=LIST_MAX)
        ).payments
        deposits = self._access.call(
            "payments", self._payments.ListDeposits, payments_pb2.ListDepositsRequest(limit=LIST_MAX)
        ).deposits
        found = [each.payment_id for each in payments if each.message_id == message_id]
        return found + [each.deposit_id for each in deposits if each.message_id == message_id]

    def message(self, service: Service, message_id: str) -> Message | None:
        """Intake answers for its own; what payments keeps is read from the message's history."""
        if service != "intake":
            return translation.message_in_history(service, message_id, self.events(service, message_id))

        def read() -> Message:
            request = intake_pb2.GetMessageRequest(message_id=message_id)
            return translation.message(self._access.call("intake", self._intake.GetMessage, request).message)

        return self._once(("message", message_id), read)

    def payouts(self) -> Sequence[str]:
        request = payments_pb2.ListPayoutsRequest(limit=LIST_MAX)
        return [each.payout_id for each in self._access.call("payments", self._payments.ListPayouts, request).payouts]

    def payment_of(self, identity: str) -> str:
        def read() -> str:
            refunds = patient_payments_pb2.ListRefundsRequest(refund_id=identity, limit=1)
            disputes = patient_payments_pb2.ListDisputesRequest(dispute_id=identity, limit=1)
            for refund in self._access.call("payments", self._patients.ListRefunds, refunds).refunds:
                return refund.payment_id
            for dispute in self._access.call("payments", self._patients.ListDisputes, disputes).disputes:
                return dispute.payment_id
            return ""

        return self._once(("payment of", identity), read) or ""

    def account_of(self, identity: str) -> str:
        def read() -> str:
            request = patient_accounts_pb2.ListActivityRequest(source_id=identity, page_size=1)
            lines = self._access.call("payments", self._accounts.ListActivity, request).activity
            return lines[0].account_id if lines else ""

        return self._once(("account of", identity), read) or ""

    def transfer_of(self, identity: str) -> str:
        def read() -> str:
            account_id = self.account_of(identity)
            request = account_work_pb2.ListTransfersRequest(to_account_id=account_id, state="made", limit=LIST_MAX)
            made = self._access.call("payments", self._work.ListTransfers, request).transfers if account_id else ()
            return next((each.transfer_id for each in made if each.cash_id == identity), "")

        return self._once(("transfer of", identity), read) or ""

    def events(self, service: Service, aggregate_id: str) -> Sequence[tuple[str, State]]:
        def read() -> Sequence[tuple[str, State]]:
            history = self._operations.history(service, aggregate_id)
            return [(event.topic, event.state) for event in history.events if isinstance(event.state, dict)]

        return self._once(("events", service, aggregate_id), read) or ()

    def case(self, case_id: str) -> Case | None:
        return self._once(("case", case_id), lambda: find(self._operations, SERVICES, case_id))

    def raw(self, message: Message, start: int, length: int) -> bytes:
        if message.service != "intake":
            raise Refused(f"{message.service} does not show the raw bytes it keeps", "NotShown")
        request = intake_pb2.ReadRawSpanRequest(message_id=message.message_id, start=start, length=length)
        return self._access.call("intake", self._intake.ReadRawSpan, request).content

    def _once(self, key: tuple[object, ...], read: Callable[[], _Found]) -> _Found | None:
        """What `read` gives, asked for once; None for what is not there, or is no id of such a thing at all."""
        if key not in self._known:
            try:
                self._known[key] = read()
            except (NotFound, Unusable):
                self._known[key] = None
        return self._known[key]  # type: ignore[return-value]
