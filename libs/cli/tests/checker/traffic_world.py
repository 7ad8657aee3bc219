"""The small world with the rest of payers' traffic: a next payer, an unknown payment and its match, a note, a reversal and
its correction, a balance carried forward from one remittance to the next, interest, and a denial's ends."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from throughline.checker.identity import derive

from .small_world import CLAIM, DAY, ENCOUNTER, MESSAGE, PATIENT, SmallWorld, State, adjustment, line

TWO_PAYERS, CLAIM_TWO, SECONDARY = derive("e", 3), derive("claim", 2), derive("claim", 3)
SECOND, THIRD = derive("r", 2), derive("r", 3)
BALANCE = derive("provider-balance", "ACME", "1999999984")


class TrafficWorld(SmallWorld):
    """Everything of the small world, and two remittances more."""

    def _patient_pays(self) -> None:
        super()._patient_pays()
        self._two_payers()
        self._second_remittance()
        self._third_remittance()
        self._matched()
        self._denial_ends()

    def _two_payers(self) -> None:
        """200.00 charged to a payer who has another behind it, and the claims to both."""
        charge = {"charge_id": derive("charge", TWO_PAYERS), "amount": "200.00 USD"}
        facts = {"patient_id": PATIENT, "source": "ehr", "entity": "NORTH", "location": ""}
        self.record("intake", "intake.encounter.opened", TWO_PAYERS, {"facts": facts})
        self.record("intake", "intake.encounter.charge-captured", TWO_PAYERS, {"charge": {"line": charge}})
        self.record("intake", "intake.encounter.finished", TWO_PAYERS, {})
        charged = {"posting": 1, "patient_id": PATIENT, "entity": "NORTH", "payer": "ACME", "charges": [charge]}
        charged |= {"total": "200.00 USD"}
        public = ("encounter-charged", {"encounter_id": TWO_PAYERS, **charged})
        self.record("intake", "intake.encounter.charged", TWO_PAYERS, charged, public)
        lines = [line("ar-payer", "200.00", "ACME"), line("gross-revenue", "-200.00")]
        posting, group = derive("posting", "charges", TWO_PAYERS, 1), derive("charge-batches", TWO_PAYERS)
        self._post(posting, "charges", group, TWO_PAYERS, lines, self.message_id("intake", "encounter-charged", 2))
        journal = derive("journal", "charges", group, 1)
        closed = {"ordinal": 1, "entity": "NORTH", "journal_id": journal, "posting_ids": [posting]}
        self.record("ledger", "ledger.charge-batches.closed", group, closed)
        self._intend("charges", group, [posting], lines)
        for claim, payer, sequence in ((CLAIM_TWO, "ACME", 1), (SECONDARY, "MEDICARE", 2)):
            content = {
                "patient_control_number": f"TPCN{sequence + 1}",
                "encounter_id": TWO_PAYERS,
                "posting": 1,
                "entity": "NORTH",
                "payer": payer,
                "patient_id": PATIENT,
                "lines": [{"amount": "200.00 USD"}],
                "total": "200.00 USD",
                "sequence": sequence,
            }
            names = ("encounter_id", "entity", "payer", "total")
            public = ("claim-drafted", {"claim_id": claim, **{name: content[name] for name in names}})
            self.record("claims", "claims.claim.drafted", claim, {"content": content}, public)

    def _second_remittance(self) -> None:
        """120.00 of 200.00 paid and 40.00 left to the next payer, 25.00 for an unknown claim, a note; 4.00 put off and 1.00
        of interest paid on top."""
        pairs = [("FB", "-4.00"), ("L6", "-1.00")]
        self._remit(SECOND, ["120.00", "25.00", "0.00"], pairs, "150.00")
        taken = [adjustment("CO", "45", "40.00"), adjustment("PR", "2", "40.00")]
        decision = self._decision(SECOND, 0, "200.00", "120.00", taken, patient="40.00")
        lines = [
            line("eft-clearing", "120.00"),
            line("ar-payer", "-200.00", "ACME"),
            line("contractual-allowance", "40.00"),
            line("ar-payer", "40.00", "MEDICARE"),
        ]
        shares = {"contractual": "40.00 USD", "patient": "40.00 USD"}
        told = {"first": True, "next_payer": "MEDICARE", "payer_status": "1"}
        self._decide(CLAIM_TWO, TWO_PAYERS, decision, shares, told, lines)
        self._unknown()
        noted = {"decision": self._decision(SECOND, 2, "50.00", "0.00", []), "why": "predetermination"}
        public = {"remittance_id": SECOND, "remittance_position": 2, "entity": "NORTH", "payer": "ACME"}
        noted |= {"entity": "NORTH", "payer": "ACME"}
        self.record("claims", "claims.claim.payment-noted", CLAIM_TWO, noted, ("claim-payment-noted", public))
        source = self.message_id("claims", "claim-payment-noted")
        posting = derive("posting", "claim-payment", SECOND, 2)
        self._post(posting, "remittance", SECOND, SECOND, [], source)
        clearing = [line("eft-clearing", "150.00"), line("ar-payer", "-200.00", "ACME")]
        others = [line("contractual-allowance", "40.00"), line("ar-payer", "40.00", "MEDICARE")]
        unapplied = [line("unapplied-payer", "-25.00")]
        provider = [line("due-to-payer", "-4.00"), line("interest-income", "-1.00")]
        self._meet(SECOND, 3, 2, [*clearing, *others, *unapplied, *provider])
        self._deposited(SECOND, "150.00")

    def _unknown(self) -> None:
        decision = self._decision(SECOND, 1, "25.00", "25.00", [])
        state = {"decision": decision, "patient_control_number": "X", "entity": "NORTH", "payer": "ACME"}
        state |= {"why": "unknown-control-number"}
        public = {"remittance_id": SECOND, "remittance_position": 1, "entity": "NORTH", "paid": "25.00 USD"}
        identity = derive("unknown", SECOND, 1)
        topic = "claims.unknown-claim-payment.recorded"
        self.record("claims", topic, identity, state, ("claim-payment-unknown", public))
        lines = [line("eft-clearing", "25.00"), line("unapplied-payer", "-25.00")]
        posting, source = (
            derive("posting", "claim-payment", SECOND, 1),
            self.message_id("claims", "claim-payment-unknown"),
        )
        self._post(posting, "remittance", SECOND, SECOND, lines, source, cash="25.00 USD")

    def _third_remittance(self) -> None:
        """The 60.00 of the small world taken back and 70.00 paid instead, less the 4.00 that were put off."""
        self._remit(THIRD, ["-60.00", "70.00"], [("FB", "4.00")], "6.00")
        taken = [adjustment("CO", "45", "-30.00"), adjustment("PR", "2", "-10.00")]
        lines = [
            line("eft-clearing", "-60.00"),
            line("ar-payer", "100.00", "ACME"),
            line("contractual-allowance", "-30.00"),
            line("ar-patient", "-10.00", "PATIENTS-NORTH"),
        ]
        shares = {"contractual": "-30.00 USD", "patient": "-10.00 USD"}
        told = {"kind": "reversal", "payer_status": "22"}
        reversal = self._decision(THIRD, 0, "-100.00", "-60.00", taken, patient="-10.00")
        self._decide(CLAIM, ENCOUNTER, reversal, shares, told, lines)
        owed = {"entity": "NORTH", "patient_id": PATIENT, "effective_date": DAY, "claim_id": CLAIM}
        owed |= {"encounter_id": ENCOUNTER, "source_id": derive("adjudication", CLAIM, THIRD, 0)}
        topic = "payments.patient-account.responsibility-assigned"
        self.record("payments", topic, derive("account", 1), {**owed, "amount": "-10.00 USD"})
        lines = [
            line("eft-clearing", "70.00"),
            line("ar-payer", "-100.00", "ACME"),
            line("contractual-allowance", "30.00"),
        ]
        correction = self._decision(THIRD, 1, "100.00", "70.00", [adjustment("CO", "45", "30.00")])
        told = {"kind": "correction", "payer_status": "1"}
        self._decide(CLAIM, ENCOUNTER, correction, {"contractual": "30.00 USD"}, told, lines)
        clearing = [line("eft-clearing", "6.00"), line("ar-patient", "-10.00", "PATIENTS-NORTH")]
        self._meet(THIRD, 2, 1, [*clearing, line("due-to-payer", "4.00")])
        self._deposited(THIRD, "6.00")

    def _matched(self) -> None:
        """The 25.00 find their claim."""
        decision = self._decision(SECOND, 1, "25.00", "25.00", [])
        lines = [line("unapplied-payer", "25.00"), line("ar-payer", "-25.00", "ACME")]
        self._decide(CLAIM_TWO, TWO_PAYERS, decision, {}, {"match": 1, "payer_status": "1"}, lines)

    def _denial_ends(self) -> None:
        """3.00 of a denial are open again, 2.00 are given up."""
        whose = {"entity": "NORTH", "payer": "ACME", "encounter_id": TWO_PAYERS, "posting": 1, "patient_id": PATIENT}
        ends = (
            ("denial-released", "denial-release", "3.00", {"release": 1}, line("ar-payer", "3.00", "ACME")),
            ("denial-written-off", "denial-write-off", "2.00", {"write_off": 1}, line("denial-write-off", "2.00")),
        )
        for event_type, kind, amount, number, debit in ends:
            state = {**whose, **number, "amount": f"{amount} USD", "effective_date": DAY}
            state |= {"state": "adjudicated"} if kind == "denial-write-off" else {}
            public = (event_type, {"claim_id": CLAIM_TWO, **whose, **number, "amount": f"{amount} USD"})
            self.record("claims", f"claims.claim.{event_type}", CLAIM_TWO, state, public)
            lines = [debit, line("ar-payer-denied", f"-{amount}", "ACME")]
            posting = derive("posting", kind, CLAIM_TWO, 1)
            self._post(posting, kind, posting, CLAIM_TWO, lines, self.message_id("claims", event_type))
            self._intend(kind, posting, [posting], lines)

    def _decision(
        self, remittance: str, position: int, charge: str, paid: str, taken: list[State], *, patient: str = "0.00"
    ) -> State:
        return {
            "remittance_id": remittance,
            "position": position,
            "effective_date": DAY,
            "payer_status": "1",
            "charge": f"{charge} USD",
            "paid": f"{paid} USD",
            "patient_responsibility": f"{patient} USD",
            "adjustments": taken,
        }

    def _decide(
        self, claim: str, encounter: str, decision: State, shares: State, told: State, lines: list[State]
    ) -> None:
        """A decision at claims, and its posting: part of its remittance, or an entry by itself where it is a match."""
        own = {"encounter_id": encounter, "patient_id": PATIENT, "entity": "NORTH", "payer": "ACME", "posting": 1}
        nothing = dict.fromkeys(("contractual", "denied", "patient", "other"), "0.00 USD")
        told = {"first": False, "kind": "decision", "match": 0, "sequence": 1, "next_payer": "", **told}
        decision = {**decision, "payer_status": told["payer_status"]}
        state = {
            "decision": decision,
            "shares": nothing | shares,
            "denied": False,
            "state": "adjudicated",
            **told,
            **own,
        }
        names = ("remittance_id", "charge", "paid", "patient_responsibility", "adjustments", "payer_status")
        public = {"claim_id": claim, "remittance_position": decision["position"], **told, **own}
        public |= {name: decision[name] for name in names}
        number = sum(
            len(batch) for batch in self.logs["claims"].announced if batch and batch[0][0] == "claim-adjudicated"
        )
        self.record("claims", "claims.claim.adjudicated", claim, state, ("claim-adjudicated", public))
        source = self.message_id("claims", "claim-adjudicated", number)
        remittance, position = decision["remittance_id"], decision["position"]
        if told["match"]:
            posting = derive("posting", "claim-match", remittance, position, told["match"])
            self._post(posting, "claim-match", posting, remittance, lines, source)
            self._intend("claim-match", posting, [posting], lines)
        else:
            posting = derive("posting", "claim-payment", remittance, position)
            self._post(posting, "remittance", remittance, remittance, lines, source, cash=decision["paid"])

    def _remit(self, remittance: str, paid: Sequence[str], pairs: Sequence[tuple[str, str]], payment: str) -> None:
        """The head and the one chunk of a remittance, the moves of the provider's balance, and what the ledger expects."""
        receipt = derive("receipt", remittance)
        summary = {
            "remittance_id": remittance,
            "receipt_id": receipt,
            "message_id": MESSAGE,
            "entity": "NORTH",
            "payer_id": "ACME",
            "trace_number": remittance[:8],
            "payment": f"{payment} USD",
            "total_paid": f"{sum(map(Decimal, paid))} USD",
            "claim_count": len(paid),
            "chunk_count": 1,
            "effective_date": DAY,
            "provider_adjustments": [{"reason": code, "amount": f"{amount} USD"} for code, amount in pairs],
        }
        self.record(
            "intake", "intake.remittance-receipt.read", receipt, {"summary": summary},
            ("remittance-received", {"summary": summary}),
        )  # fmt: skip
        claims = [{"position": place, "paid": f"{each} USD"} for place, each in enumerate(paid)]
        part = {"remittance_id": remittance, "chunk": 0, "claims": claims, "total_paid": summary["total_paid"]}
        public = ("remittance-chunk-received", {**part, "receipt_id": receipt})
        self.record("intake", "intake.remittance-receipt.chunk-read", receipt, part, public)
        accepted = ("remittance-accepted", {"summary": summary})
        self.record("payments", "payments.remittance.accepted", remittance, {"summary": summary}, accepted)
        self._move(remittance, pairs)
        chunk = {**part, "entity": "NORTH", "payer": "ACME"}
        topic = "payments.remittance-chunk.accepted"
        self.record("payments", topic, derive("chunk", remittance), chunk, ("remittance-chunk-accepted", chunk))
        expected = {name: summary[name] for name in ("remittance_id", "entity", "effective_date", "claim_count")}
        expected |= {name: summary[name] for name in ("total_paid", "payment")}
        expected |= {"payer": "ACME", "adjustment_count": len(pairs)}
        self.record("ledger", "ledger.remittance-manifest.expected", derive("manifest", remittance), expected)
        source = self.message_id("payments", "remittance-accepted", 1 if remittance == SECOND else 2)
        for ordinal, (code, amount) in enumerate(pairs):
            self._post_adjustment(remittance, ordinal, code, amount, source)

    def _move(self, remittance: str, pairs: Sequence[tuple[str, str]]) -> None:
        for ordinal, (code, amount) in enumerate(pairs):
            move = {"remittance_id": remittance, "adjustment": ordinal, "entity": "NORTH", "payer": "ACME"}
            move |= {"provider": "1999999984", "reason": code, "reference": "", "amount": f"{amount} USD"}
            move |= {"item_id": None, "open_amount": "0.00 USD", "effective_date": DAY}
            public = ("provider-balance-moved", {"balance_id": BALANCE, **move})
            self.record("payments", "payments.provider-balance.moved", BALANCE, move, public)

    def _post_adjustment(self, remittance: str, ordinal: int, code: str, amount: str, source: str) -> None:
        account = {"FB": "due-to-payer", "L6": "interest-income"}[code]
        other = amount.removeprefix("-") if amount.startswith("-") else f"-{amount}"
        lines = [line(account, amount), line("eft-clearing", other)]
        posting = derive("posting", "provider-adjustment", remittance, ordinal)
        self._post(posting, "remittance", remittance, remittance, lines, source, cash=f"{other} USD")
        state = self.logs["ledger"].events[-1][2]
        state |= {"remittance_position": -1, "adjustment": ordinal}

    def _meet(self, remittance: str, claims: int, adjustments: int, lines: list[State]) -> None:
        postings = [derive("posting", "claim-payment", remittance, place) for place in range(claims)]
        postings += [derive("posting", "provider-adjustment", remittance, place) for place in range(adjustments)]
        journal = self._intend("remittance", remittance, postings, lines)
        met = {"remittance_id": remittance, "journal_id": journal}
        self.record("ledger", "ledger.remittance-manifest.met", derive("manifest", remittance), met)

    def _deposited(self, remittance: str, amount: str) -> None:
        deposit = derive("deposit", remittance)
        matched = {"deposit_id": deposit, "entity": "NORTH", "amount": f"{amount} USD", "effective_date": DAY}
        public = ("deposit-matched", {"remittance_id": remittance, **matched})
        number = 1 if remittance == SECOND else 2
        self.record("payments", "payments.remittance.deposit-matched", remittance, matched, public)
        lines = [line("cash", amount), line("eft-clearing", f"-{amount}")]
        posting = derive("posting", "deposit", remittance)
        self._post(
            posting, "deposit", posting, remittance, lines, self.message_id("payments", "deposit-matched", number)
        )
        self._intend("deposit", posting, [posting], lines)
