"""The world round the services: what waits to be sent to them, and who takes what they send."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from random import Random
from typing import TypeVar

from chassis.testing.clock import FixedClock
from intake.adapters.fhir import FhirNames, Sender, read_submission
from intake.adapters.hl7v2 import read_message
from intake.adapters.x12_files import X12File
from intake.application.deliveries import InboundDelivery
from intake.application.receiving import Receiving
from intake.application.receiving_files import ReceivingFiles
from payments.adapters.bank_files import take_bank_file
from payments.adapters.stripe_gateway import event_of, verify
from payments.application.doors import Doors, GatewayMessage
from sandbox.world.adjudication import PayerRules
from sandbox.world.bank import Bank
from sandbox.world.desk import NextCoverages
from sandbox.world.ehr import DeliveryKind, delivery_of
from sandbox.world.gateway_api import GatewayApi
from sandbox.world.gateway_book import GatewayBook
from sandbox.world.gateway_later import LaterMoney
from sandbox.world.gateway_objects import Json
from sandbox.world.identities import registered_twice
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.misbehaviour import Misbehaviour
from sandbox.world.payer import PAYER_SEED, Answer, Payers
from sandbox.world.remittances import Remittance
from sandbox.world.scenario import SimulatedEncounter
from sandbox.world.webhooks import signature_header

from .erp import FaultyTransport
from .mischief import Kind, Mischief
from .revisions import is_revised, revisions_of

SECRET = "whsec_of_the_simulation"
TODAY = date(2026, 3, 2)
TOGETHER_MAX = 3
RULES = PayerRules(sequestration_percent=2)
_T = TypeVar("_T")


class RefusedDelivery(AssertionError):
    """A message of the clean story was refused at the door."""


class Outside:
    """EHR, clearinghouse, payers, bank and gateway; whatever is not answered is sent again."""

    def __init__(
        self,
        random: Random,
        mischief: Mischief,
        clock: FixedClock,
        transport: FaultyTransport,
        next_coverages: NextCoverages,
    ) -> None:
        self._random = random
        self._mischief = mischief
        self._clock = clock
        self._transport = transport
        self.payers = Payers(
            PAYER_SEED,
            misbehaviour=Misbehaviour(),
            rules=RULES,
            next_coverages=next_coverages,
            clearinghouse_reports=True,
        )
        self.bank = Bank()
        self._latest = clock()
        self.gateway = GatewayBook(1, self._gateways_clock, Misbehaviour())
        self.later = LaterMoney(self.gateway)
        self.gateway_api = GatewayApi(self.gateway, self.later, self.tell)
        self.conversations: list[list[InboundDelivery]] = []
        self.payer_files: dict[str, bytes] = {}
        self.bank_files: dict[str, bytes] = {}
        self.webhooks: list[bytes] = []
        self._past_messages: list[InboundDelivery] = []
        self._past_payer_files: list[tuple[str, bytes]] = []
        self._past_bank_files: list[tuple[str, bytes]] = []
        self._past_webhooks: list[bytes] = []

    def now(self) -> datetime:
        """The moment it is for us."""
        return self._clock()

    def _gateways_clock(self) -> float:
        """The gateway's clock is not ours: it is never set back."""
        self._latest = max(self._latest, self._clock())
        return self._latest.timestamp()

    @property
    def is_quiet(self) -> bool:
        waiting = (self.conversations, self.payer_files, self.bank_files, self.webhooks, self._transport.outbound)
        return not any(waiting)

    def visit(self, encounters: Iterable[SimulatedEncounter]) -> None:
        """The EHR has these encounters to tell, each in a conversation of its own."""
        self.conversations += [_conversation(encounter) for encounter in encounters]

    def revise(self, encounters: Iterable[SimulatedEncounter]) -> None:
        """The EHR says some charges of encounters that it has told otherwise, word by word in no order."""
        for encounter in encounters:
            if is_revised(encounter):
                self.conversations += [[word] for word in revisions_of(encounter, _conversation(encounter))]

    def register_twice(self, encounters: Sequence[SimulatedEncounter]) -> None:
        """The EHR registers two patients again; one pair it merges, the other a person has to find."""
        for told in registered_twice(encounters):
            self.conversations.append([read_message(raw, actor="door:mllp").delivery for raw in told.messages])

    def send_messages(self, intake: Receiving) -> int:
        """The next message of some conversations, perhaps one that was sent before."""
        chosen = self._some(self.conversations)
        messages = [conversation[0] for conversation in chosen]
        messages += self._again(self._past_messages)
        if not messages:
            return 0
        for outcome, message in zip(intake.receive(messages), messages, strict=True):
            if not outcome.accepted:
                raise RefusedDelivery(f"{message.delivery_key}: {'; '.join(outcome.findings)}")
        self._past_messages += messages
        if not self._mischief.strikes(Kind.DOOR_ANSWER_LOST):
            for conversation in chosen:
                conversation.pop(0)
            self.conversations = [conversation for conversation in self.conversations if conversation]
        return len(messages)

    def carry_claims(self) -> int:
        """The clearinghouse takes one file of claims; the payers answer it."""
        waiting = list(self._transport.outbound)
        if not waiting:
            return 0
        content = self._transport.take(self._random.choice(waiting))
        self.drop(self.payers.receive(content, self._clock()))
        return 1

    def drop(self, answers: Iterable[Answer]) -> None:
        """Files from payers, into the folder that intake watches."""
        for answer in answers:
            assert answer.name not in self.payer_files, f"{answer.name} is dropped twice"
            self.payer_files[answer.name] = answer.content

    def send_payer_file(self, intake: ReceivingFiles) -> int:
        chosen = self._one_file(self.payer_files, self._past_payer_files)
        if chosen is None:
            return 0
        name, content = chosen
        intake.receive(X12File(name, content, source="file-drop"))
        self._file_taken(self.payer_files, self._past_payer_files, name, content)
        return 1

    def send_bank_file(self, doors: Doors) -> int:
        chosen = self._one_file(self.bank_files, self._past_bank_files)
        if chosen is None:
            return 0
        name, content = chosen
        if not take_bank_file(doors, sandbox_master_data(), name, content):
            raise RefusedDelivery(name)
        self._file_taken(self.bank_files, self._past_bank_files, name, content)
        return 1

    def tell(self, events: Iterable[Json]) -> None:
        """The gateway has these events to tell, in no order that it promises."""
        self.tell_raw(json.dumps(event).encode() for event in events)

    def tell_raw(self, told: Iterable[bytes]) -> None:
        """The same; now and then a webhook never comes."""
        self.webhooks += [raw for raw in told if not self._mischief.strikes(Kind.GATEWAY_WEBHOOK_LOST)]

    def send_webhooks(self, doors: Doors) -> int:
        chosen = self._some(self.webhooks)
        sent = chosen + self._again(self._past_webhooks)
        if not sent:
            return 0
        doors.receive_webhooks([self._verified(raw) for raw in sent])
        self._past_webhooks += sent
        if not self._mischief.strikes(Kind.DOOR_ANSWER_LOST):
            self.webhooks = [raw for raw in self.webhooks if raw not in chosen]
        return len(sent)

    def _verified(self, raw: bytes) -> GatewayMessage:
        now = self._clock()
        verify(raw, signature_header(raw, SECRET, int(now.timestamp())), [SECRET], now)
        event_id, fact = event_of(raw)
        return GatewayMessage(raw, event_id, fact)

    def deposit_statement(self, day: date) -> None:
        """The bank's files of what arrived since the last ones."""
        for file in self.bank.statement(day, self._clock()):
            self.bank_files[file.name] = file.content

    def tell_electronic_entries(self, remittances: Iterable[Remittance], day: date) -> None:
        """The bank tells of the same transfers once more, entry by entry."""
        paying = [each for each in remittances if each.amount]
        if paying:
            file = self.bank.electronic_entries(paying, day, self._clock())
            self.bank_files[file.name] = file.content

    def _some(self, waiting: Sequence[_T]) -> list[_T]:
        return self._random.sample(list(waiting), min(len(waiting), self._random.randint(1, TOGETHER_MAX)))

    def _again(self, past: Sequence[_T]) -> list[_T]:
        """Now and then something that was sent and answered before."""
        return [self._random.choice(past)] if past and self._mischief.strikes(Kind.DOOR_SENT_AGAIN) else []

    def _one_file(self, waiting: Mapping[str, bytes], past: Sequence[tuple[str, bytes]]) -> tuple[str, bytes] | None:
        again = self._again(past)
        if again:
            return again[0]
        return self._random.choice(list(waiting.items())) if waiting else None

    def _file_taken(self, waiting: dict[str, bytes], past: list[tuple[str, bytes]], name: str, content: bytes) -> None:
        """The file is moved away, unless the mover died before it could."""
        past.append((name, content))
        if not self._mischief.strikes(Kind.DOOR_ANSWER_LOST):
            waiting.pop(name, None)


def _conversation(encounter: SimulatedEncounter) -> list[InboundDelivery]:
    """The messages of one encounter as intake's doors read them, in order."""
    told = delivery_of(encounter)
    if told.kind is DeliveryKind.BUNDLE:
        sender = Sender("client:ehr")
        return [read_submission(raw, FhirNames(), sender).deliveries[0] for raw in told.messages]
    return [read_message(raw, actor="door:mllp").delivery for raw in told.messages]
