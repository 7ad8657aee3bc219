"""What the services say at the end of the story, asked through the gateway like any client would."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass

from billing.claims.v1 import claims_pb2 as claims
from billing.claims.v1 import claims_pb2_grpc
from billing.intake.v1 import intake_pb2 as intake
from billing.intake.v1 import intake_pb2_grpc
from billing.ledger.v1 import ledger_pb2 as ledger
from billing.ledger.v1 import ledger_pb2_grpc
from billing.payments.v1 import payments_pb2 as payments
from billing.payments.v1 import payments_pb2_grpc
from billing.reconciliation.v1 import reconciliation_pb2 as reconciliation
from billing.reconciliation.v1 import reconciliation_pb2_grpc
from canonical.money import Money
from sandbox.world.expected_books import PAYER_SIDE

from throughline.connection import SERVICES, Access
from throughline.demo.mapping_work import MappedCode
from throughline.demo.patient_money import LaterMove
from throughline.demo.revised_facts import RevisedClaim
from throughline.demo.traffic_facts import TrafficFacts
from throughline.operations.calls import Operations
from throughline.operations.cases import Case, Wanted, gather
from throughline.outcome import NotFound
from throughline.wire import money_of

LIST_MAX = 5000
JOURNALS_MAX = 1000
UNDER_WAY = ("intended", "probed", "posted", "uncertain")


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """One account of one entity: ours as confirmed, the ERP's as read back, and what lies between."""

    entity: str
    account: str
    party: str
    ours: Money
    erp: Money

    @property
    def difference(self) -> Money:
        return self.ours - self.erp


@dataclass(frozen=True, slots=True)
class OracleLine:
    """One account of one entity: ours as confirmed, and what charges and payers' decisions alone come to."""

    entity: str
    account: str
    party: str
    ours: Money
    expected: Money

    @property
    def difference(self) -> Money:
        return self.ours - self.expected


@dataclass(frozen=True, slots=True)
class ControlLine:
    """One comparison of the reconciliation."""

    control: str
    compared: str
    entity: str
    party: str
    ours: Money
    theirs: Money
    residual: Money
    unexplained: Money
    verdict: str
    reasons: tuple[str, ...]


@dataclass
class Facts:
    """Everything that the report tells."""

    came_in: list[tuple[str, str, int]] = field(default_factory=list)
    quarantined: list[tuple[str, str, str]] = field(default_factory=list)
    patient_pairs: list[tuple[str, str, int]] = field(default_factory=list)
    interchanges: tuple[int, int, Money] = (0, 0, Money(0))
    read_by_payers: list[tuple[str, int, Money]] = field(default_factory=list)
    claims: list[tuple[str, int, Money]] = field(default_factory=list)
    remittances: tuple[int, int, Money] = (0, 0, Money(0))
    duplicate_remittances: int = 0
    deposits: tuple[int, int, Money] = (0, 0, Money(0))
    card_payments: tuple[int, int, Money] = (0, 0, Money(0))
    payouts: tuple[int, int, Money] = (0, 0, Money(0))
    came_back: list[LaterMove] = field(default_factory=list)
    journals: list[tuple[str, str, int]] = field(default_factory=list)
    balances: list[BalanceLine] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    controls: list[ControlLine] = field(default_factory=list)
    unexplained: Money = field(default_factory=Money.zero)
    traffic: TrafficFacts = field(default_factory=TrafficFacts)
    oracle: list[OracleLine] = field(default_factory=list)
    mapping: MappedCode | None = None
    revised: list[RevisedClaim] = field(default_factory=list)

    def compare_with(self, expected: Mapping[tuple[str, str, str], int]) -> None:
        """Sets every account that only charges and payers move beside what the payers' decisions say ."""
        accounts = {role.value for role in PAYER_SIDE}
        ours = {
            (line.entity, line.account, line.party): line.ours for line in self.balances if line.account in accounts
        }
        self.oracle = [
            OracleLine(*place, ours.get(place, Money(0)), Money(expected.get(place, 0)))
            for place in sorted(ours.keys() | expected.keys())
        ]

    @property
    def agrees_with_oracle(self) -> bool:
        """Whether every cent of payers' money is where the payers' own decisions say."""
        return not any(line.difference for line in self.oracle)

    def as_data(self) -> dict[str, object]:
        """The same as JSON-able data; money as `"12.30 USD"`."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}


def gather_facts(access: Access, entities: Sequence[str]) -> Facts:
    """Asks everybody."""
    facts = Facts()
    _from_intake(access, facts)
    _from_claims(access, facts)
    _from_payments(access, facts)
    _from_ledger(access, facts, entities)
    found = gather(Operations(access), SERVICES, ("open", "assigned"), Wanted())
    facts.cases = list(found.cases)
    return facts


def reconcile(access: Access, facts: Facts) -> None:
    """Runs the reconciliation and adds what it found."""
    stub = reconciliation_pb2_grpc.ReconciliationServiceStub(access.channel("reconciliation"))
    run = access.call("reconciliation", stub.Run, reconciliation.RunRequest()).run
    facts.unexplained = money_of(run.unexplained)
    facts.controls = [
        ControlLine(
            result.control,
            result.compared,
            result.entity,
            result.party or result.account,
            money_of(result.ours),
            money_of(result.theirs),
            money_of(result.residual),
            money_of(result.unexplained),
            result.verdict,
            tuple(f"{item.reason} {money_of(item.amount)}" for item in result.items),
        )
        for result in run.results
    ]


def _from_intake(access: Access, facts: Facts) -> None:
    stub = intake_pb2_grpc.IntakeServiceStub(access.channel("intake"))
    counts = access.call("intake", stub.CountsByFormat, intake.CountsByFormatRequest()).counts
    facts.came_in = sorted((count.format, count.state, count.count) for count in counts)
    kept = access.call("intake", stub.ListMessages, intake.ListMessagesRequest(state="quarantined", limit=100)).messages
    facts.quarantined = [(message.format, message.delivery_key, message.first_finding) for message in kept]
    for state in ("merged", "open"):
        for pair in access.call(
            "intake", stub.ListPatientMatches, intake.ListPatientMatchesRequest(state=state)
        ).matches:
            facts.patient_pairs.append((pair.state, pair.likeness, pair.score))


def _from_claims(access: Access, facts: Facts) -> None:
    stub = claims_pb2_grpc.ClaimsServiceStub(access.channel("claims"))
    sent = access.call("claims", stub.ListInterchanges, claims.ListInterchangesRequest(limit=500)).interchanges
    total = Money.total(money_of(interchange.total) for interchange in sent)
    facts.interchanges = (len(sent), sum(interchange.claim_count for interchange in sent), total)
    counts = access.call("claims", stub.CountByState, claims.CountByStateRequest()).counts
    facts.claims = [(count.state, count.claims, money_of(count.charge)) for count in counts]


def _from_payments(access: Access, facts: Facts) -> None:
    stub = payments_pb2_grpc.PaymentsServiceStub(access.channel("payments"))
    remittances = access.call(
        "payments", stub.ListRemittances, payments.ListRemittancesRequest(limit=LIST_MAX)
    ).remittances
    facts.remittances = (
        len(remittances),
        sum(remittance.claim_count for remittance in remittances),
        Money.total(money_of(remittance.payment) for remittance in remittances),
    )
    for remittance in remittances:
        request = payments.GetRemittanceRequest(remittance_id=remittance.remittance_id)
        receipts = access.call("payments", stub.GetRemittance, request).receipts
        facts.duplicate_remittances += sum(receipt.verdict == "duplicate" for receipt in receipts)
    deposits = access.call("payments", stub.ListDeposits, payments.ListDepositsRequest(limit=LIST_MAX)).deposits
    facts.deposits = (
        len(deposits),
        sum(not deposit.matched_to for deposit in deposits),
        Money.total(money_of(deposit.amount) for deposit in deposits),
    )
    paid = [
        payment
        for payment in access.call("payments", stub.ListPayments, payments.ListPaymentsRequest(limit=LIST_MAX)).payments
        if payment.state == "succeeded"
    ]
    facts.card_payments = (
        len(paid),
        sum(not payment.account_id for payment in paid),
        Money.total(money_of(payment.amount) for payment in paid),
    )
    payouts = access.call("payments", stub.ListPayouts, payments.ListPayoutsRequest(limit=LIST_MAX)).payouts
    tied = sum(bool(payout.deposit_id) for payout in payouts)
    facts.payouts = (len(payouts), tied, Money.total(money_of(payout.net) for payout in payouts))


def _from_ledger(access: Access, facts: Facts, entities: Sequence[str]) -> None:
    stub = ledger_pb2_grpc.LedgerServiceStub(access.channel("ledger"))
    journals = access.call("ledger", stub.ListJournals, ledger.ListJournalsRequest(limit=JOURNALS_MAX)).journals
    counted = Counter((journal.kind, journal.state) for journal in journals)
    facts.journals = sorted((kind, state, count) for (kind, state), count in counted.items())
    ours: dict[tuple[str, str, str], Money] = {}
    for line in access.call("ledger", stub.TrialBalance, ledger.TrialBalanceRequest()).balances:
        ours[(line.entity, line.account, line.party)] = money_of(line.confirmed)
    theirs: dict[tuple[str, str, str], Money] = {}
    for entity in entities:
        answer = access.call("ledger", stub.ReadErpBalances, ledger.ReadErpBalancesRequest(entity=entity))
        theirs |= {(entity, line.account, line.party): money_of(line.amount) for line in answer.balances}
    facts.balances = [
        BalanceLine(*place, ours.get(place, Money(0)), theirs.get(place, Money(0)))
        for place in sorted(ours.keys() | theirs.keys())
        if ours.get(place) or theirs.get(place)
    ]


def owing_accounts(access: Access) -> list[tuple[str, str, Money]]:
    """Patient accounts that owe something: account, entity, balance; the largest first."""
    stub = payments_pb2_grpc.PaymentsServiceStub(access.channel("payments"))
    request = payments.ListAccountsRequest(only_owing=True, limit=LIST_MAX)
    accounts = access.call("payments", stub.ListAccounts, request).accounts
    return [(account.account_id, account.entity, money_of(account.balance)) for account in accounts]


def journals_under_way(access: Access) -> bool:
    """Whether an entry is intended and neither confirmed at the ERP nor waiting for a person."""
    stub = ledger_pb2_grpc.LedgerServiceStub(access.channel("ledger"))
    request = ledger.ListJournalsRequest(states=UNDER_WAY, limit=1)
    return bool(access.call("ledger", stub.ListJournals, request).journals)


def a_remittance_journal(access: Access) -> str:
    """The external number of one remittance's journal at the ERP.

    Raises:
        NotFound: no remittance has been posted.
    """
    stub = ledger_pb2_grpc.LedgerServiceStub(access.channel("ledger"))
    request = ledger.ListJournalsRequest(states=["confirmed"], limit=JOURNALS_MAX)
    for journal in access.call("ledger", stub.ListJournals, request).journals:
        if journal.kind == "remittance":
            return str(journal.external_number)
    raise NotFound("no remittance has been posted")


def _plain(value: object) -> object:
    if isinstance(value, Money):
        return str(value)
    if isinstance(value, Case):
        return value.as_data()
    if isinstance(value, BalanceLine | OracleLine):
        return {name: _plain(getattr(value, name)) for name in (*value.__slots__, "difference")}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return value
