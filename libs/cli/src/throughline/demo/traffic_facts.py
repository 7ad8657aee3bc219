"""What the services say of the claims that the story follows: decisions in order, the next payer's claim, open items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from billing.claims.v1 import claims_pb2 as claims
from billing.claims.v1 import claims_pb2_grpc
from billing.payments.v1 import payments_pb2 as payments
from billing.payments.v1 import payments_pb2_grpc
from canonical.money import Money

from throughline.connection import Access
from throughline.demo.denial_work import DenialWork, WorkedDenial
from throughline.demo.traffic import Chain, Followed
from throughline.wire import money_of

REMITTANCES_MAX = 5000
CLAIMS_PAGE = 500
SECONDARY_SHOWN_MAX = 5
_STATUSES: Mapping[str, str] = {
    "1": "processed as primary",
    "2": "processed as secondary",
    "3": "processed as tertiary",
    "4": "denied",
    "19": "processed as primary, passed on",
    "22": "reversal of the earlier payment",
}


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision of a payer on a claim, as a biller reads it."""

    on: str
    trace_number: str
    what: str
    charge: Money
    paid: Money
    contractual: Money
    denied: Money
    patient: Money


@dataclass(frozen=True, slots=True)
class ClaimStory:
    """One claim with every decision on it, and where it stands now."""

    claim: str
    payer: str
    state: str
    decisions: tuple[Decided, ...]

    @property
    def paid(self) -> Money:
        return Money.total(each.paid for each in self.decisions)


@dataclass(frozen=True, slots=True)
class NextPayerStory:
    """One claim to a second payer, beside what the first one did."""

    claim: str
    first_payer: str
    charge: Money
    first_paid: Money
    left_over: Money
    payer: str
    paid: Money
    left_to_patient: Money
    state: str


@dataclass(frozen=True, slots=True)
class ChainLink:
    """One remittance of a payer that carries a balance forward."""

    on: str
    trace_number: str
    paid: Money
    taken: Money
    forwarded: Money
    payment: Money
    still_owed: Money


@dataclass
class TrafficFacts:
    """The four stories; empty where the scenario is too small for one."""

    denial: ClaimStory | None = None
    denial_work: WorkedDenial | None = None
    correction: ClaimStory | None = None
    next_payers: list[NextPayerStory] = field(default_factory=list)
    next_payer_claims: int = 0
    next_payers_paid: Money = field(default_factory=Money.zero)
    chain_of: str = ""
    chain: list[ChainLink] = field(default_factory=list)
    chain_open: Money = field(default_factory=Money.zero)


def gather_traffic(access: Access, followed: Followed) -> TrafficFacts:
    """Asks claims and payments, through the gateway."""
    return _Gathering(access).facts(followed)


def claim_stories(access: Access, numbers: Sequence[str]) -> list[ClaimStory]:
    """Each claim by the biller's number, with its decisions in order."""
    gathering = _Gathering(access)
    return [gathering.story(number) for number in numbers]


def _in_words(each: claims.Adjudication) -> str:
    said = "denied" if each.denied else _STATUSES.get(each.payer_status, each.payer_status)
    return f"correction: {said}" if each.kind == "correction" else said


class _Gathering:
    def __init__(self, access: Access) -> None:
        self._access = access
        self._claims = claims_pb2_grpc.ClaimsServiceStub(access.channel("claims"))
        self._payments = payments_pb2_grpc.PaymentsServiceStub(access.channel("payments"))
        request = payments.ListRemittancesRequest(limit=REMITTANCES_MAX)
        listed = access.call("payments", self._payments.ListRemittances, request).remittances
        self._remittances = {each.remittance_id: each for each in listed}

    def facts(self, followed: Followed) -> TrafficFacts:
        facts = TrafficFacts(
            denial=self.story(followed.denied) if followed.denied else None,
            denial_work=DenialWork(self._access).told(followed.denied) if followed.denied else None,
            correction=self.story(followed.corrected) if followed.corrected else None,
        )
        self._next_payers(facts)
        if followed.chain:
            self._chain(facts, followed.chain)
        return facts

    def story(self, number: str) -> ClaimStory:
        claim = self._claim(patient_control_number=number)
        return ClaimStory(number, claim.payer, claim.state, tuple(self._decisions(claim.claim_id)))

    def _claim(self, patient_control_number: str) -> claims.Claim:
        request = claims.FindClaimRequest(patient_control_number=patient_control_number)
        return self._access.call("claims", self._claims.FindClaim, request).claims[0]

    def _decisions(self, claim_id: str) -> list[Decided]:
        request = claims.GetClaimRequest(claim_id=claim_id)
        found = self._access.call("claims", self._claims.GetClaim, request).adjudications
        return [self._decided(each) for each in found]

    def _decided(self, each: claims.Adjudication) -> Decided:
        amounts = each.amounts
        return Decided(
            on=each.effective_date,
            trace_number=self._remittances[each.remittance_id].trace_number,
            what=_in_words(each),
            charge=money_of(amounts.charge),
            paid=money_of(amounts.paid),
            contractual=money_of(amounts.contractual),
            denied=money_of(amounts.denied),
            patient=money_of(amounts.patient),
        )

    def _next_payers(self, facts: TrafficFacts) -> None:
        """Every claim that a second payer has decided, in sum, and the largest payments one by one."""
        stories = [self._beside_the_first(each) for each in self._later_claims()]
        facts.next_payer_claims = len(stories)
        facts.next_payers_paid = Money.total(each.paid for each in stories)
        facts.next_payers = sorted(stories, key=lambda each: (-each.paid.minor, each.claim))[:SECONDARY_SHOWN_MAX]

    def _later_claims(self) -> list[claims.Claim]:
        found: list[claims.Claim] = []
        token = ""
        while True:
            request = claims.ListClaimsRequest(page_size=CLAIMS_PAGE, page_token=token)
            page = self._access.call("claims", self._claims.ListClaims, request)
            found += [each for each in page.claims if each.sequence > 1 and each.adjudications]
            token = page.next_page_token
            if not token:
                return found

    def _beside_the_first(self, claim: claims.Claim) -> NextPayerStory:
        request = claims.FindClaimRequest(encounter_id=claim.encounter_id)
        of_encounter = self._access.call("claims", self._claims.FindClaim, request).claims
        first = next(each for each in of_encounter if each.sequence == 1 and each.posting == claim.posting)
        return NextPayerStory(
            claim=claim.patient_control_number,
            first_payer=first.payer,
            charge=money_of(claim.amounts.charge),
            first_paid=money_of(first.amounts.paid),
            left_over=money_of(first.amounts.patient),
            payer=claim.payer,
            paid=money_of(claim.amounts.paid),
            left_to_patient=money_of(claim.amounts.patient),
            state=claim.state,
        )

    def _chain(self, facts: TrafficFacts, chain: Chain) -> None:
        facts.chain_of = f"{chain.payer} and {chain.entity}"
        request = payments.ListProviderBalancesRequest(entity=chain.entity, payer=chain.payer)
        for row in self._access.call("payments", self._payments.ListProviderBalances, request).balances:
            asked = payments.GetProviderBalanceRequest(balance_id=row.balance_id)
            told = self._access.call("payments", self._payments.GetProviderBalance, asked)
            facts.chain = self._links(told.adjustments)
            facts.chain_open = money_of(told.balance.open)

    def _links(self, adjustments: Sequence[payments.ProviderAdjustment]) -> list[ChainLink]:
        """One link a remittance, oldest first, with what is owed to the payer after it."""
        by_remittance: dict[str, list[Money]] = {}
        for each in adjustments:
            by_remittance.setdefault(each.remittance_id, []).append(money_of(each.amount))
        owed, links = Money(0), []
        heads = sorted(
            (self._remittances[each] for each in by_remittance),
            key=lambda head: (head.effective_date, head.trace_number),
        )
        for head in heads:
            amounts = by_remittance[head.remittance_id]
            taken = Money.total(each for each in amounts if each > Money(0))
            forwarded = -Money.total(each for each in amounts if each < Money(0))
            owed += forwarded - taken
            links.append(
                ChainLink(
                    on=head.effective_date,
                    trace_number=head.trace_number,
                    paid=money_of(head.total_paid),
                    taken=taken,
                    forwarded=forwarded,
                    payment=money_of(head.payment),
                    still_owed=owed,
                )
            )
        return links
