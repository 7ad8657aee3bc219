"""The small hospital's second remittance: a reversal, an unknown payment and its match, a decision with a payer behind it, a
balance put off, interest, and what became of a denial."""

from __future__ import annotations

from collections.abc import Sequence

from throughline.tracing import identities
from throughline.tracing.books import State
from throughline.tracing.records import Claim, Decision, Journal, Message, Remittance

from .small_books import (
    CLAIM,
    ENCOUNTER,
    ENTITY,
    FILE,
    PAYER,
    REMITTANCE,
    Booked,
    SmallBooks,
    entry,
    identity,
    parts_of,
    usd,
)

SECOND, OTHER_CLAIM = identity("remittance two"), identity("claim two")
REVERSAL = b"CLP*T0123456789ABCDEF*22*-120*-70**12*PAYER2~"
UNKNOWN = b"CLP*X10*1*9*9**12*PAYER3~"
SHARED = b"CLP*T2*1*120*50*40*12*PAYER4~"
PLB = b"PLB*1999999984*20261231*FB:77*-4*L6*-1~"
BYTES = {100: REVERSAL, 200: UNKNOWN, 300: SHARED, 400: PLB}
MATCH = identities.match_posting(SECOND, 1, 1)
WRITE_OFF = identities.denial_posting("denial-write-off", OTHER_CLAIM, 1)
RELEASE = identities.denial_posting("denial-release", OTHER_CLAIM, 1)


def decided(
    position: int, span: int, amounts: tuple[str, str], shares: dict[str, str], taken: Sequence[tuple[str, str, str]] = (),
    **told: object,
) -> tuple[str, State]:  # fmt: skip
    """A decision as the history of its claim keeps it; `amounts` are charge and payment."""
    charge, paid = amounts
    nothing = dict.fromkeys(("contractual", "denied", "patient", "other"), "0.00 USD")
    decision = {
        "remittance_id": SECOND,
        "position": position,
        "charge": f"{charge} USD",
        "paid": f"{paid} USD",
        "adjustments": [{"group": g, "reason": r, "amount": f"{amount} USD"} for g, r, amount in taken],
        "span_start": span,
        "span_length": len(BYTES[span]),
    }
    whole = {"decision": decision, "shares": nothing | {name: f"{each} USD" for name, each in shares.items()}}
    return "claims.claim.adjudicated", {"first": False, "match": 0, "sequence": 1, "next_payer": "", **whole, **told}


def second_entries() -> list[Journal]:
    patients = f"PATIENTS-{ENTITY}"
    taken_back: list[Booked] = [
        ("eft-clearing", "", "-70.00"),
        ("ar-payer", PAYER, "120.00"),
        ("contractual-allowance", "", "-30.00"),
        ("ar-patient", patients, "-20.00"),
    ]
    shared: list[Booked] = [
        ("eft-clearing", "", "50.00"),
        ("ar-payer", PAYER, "-100.00"),
        ("sequestration", "", "10.00"),
        ("ar-payer", "MEDICARE", "40.00"),
    ]
    unknown: list[Booked] = [("eft-clearing", "", "9.00"), ("unapplied-payer", "", "-9.00")]
    put_off: list[Booked] = [("due-to-payer", "", "-4.00"), ("eft-clearing", "", "4.00")]
    interest: list[Booked] = [("interest-income", "", "-1.00"), ("eft-clearing", "", "1.00")]
    matched: list[Booked] = [("unapplied-payer", "", "9.00"), ("ar-payer", PAYER, "-9.00")]
    written_off: list[Booked] = [("denial-write-off", "", "3.00"), ("ar-payer-denied", PAYER, "-3.00")]
    released: list[Booked] = [("ar-payer", PAYER, "2.00"), ("ar-payer-denied", PAYER, "-2.00")]
    of_remittance = [
        *parts_of(identity("reversal"), SECOND, "J11", taken_back, position=0, claim_id=CLAIM),
        *parts_of(identity("unknown two"), SECOND, "J26", unknown, position=1),
        *parts_of(identity("shared"), SECOND, "J04,J06,J07", shared, position=2, claim_id=OTHER_CLAIM),
        *parts_of(identity("plb 0"), SECOND, "J13", put_off, adjustment=0),
        *parts_of(identity("plb 1"), SECOND, "J13", interest, adjustment=1),
    ]
    return [
        entry("remittance", SECOND, of_remittance),
        entry("claim-match", MATCH, parts_of(MATCH, SECOND, "J04", matched, position=1, claim_id=OTHER_CLAIM)),
        entry("denial-write-off", WRITE_OFF, parts_of(WRITE_OFF, OTHER_CLAIM, "J10", written_off)),
        entry("denial-release", RELEASE, parts_of(RELEASE, OTHER_CLAIM, "J09", released)),
    ]


class PayerBooks(SmallBooks):
    """The small books and the second remittance."""

    def __init__(self) -> None:
        super().__init__()
        self.journals = second_entries()
        self.erp_lines = {journal.journal_id: journal.lines for journal in self.journals}
        self.remittances.append(
            Remittance(SECOND, ENTITY, PAYER, "TRACE2", usd("-6.00"), 3, "2026-06-09", "", FILE),
        )
        self.claims.append(Claim(OTHER_CLAIM, "T2", "adjudicated", ENTITY, PAYER, ENCOUNTER, 1, usd("120.00")))
        unknown = {"control_number": "X10", "first": False, "charge": usd("0.00"), "paid": usd("9.00")}
        self.decisions = [
            Decision(SECOND, 1, "", span_start=200, span_length=len(UNKNOWN), **unknown),  # type: ignore[arg-type]
            Decision(SECOND, 1, OTHER_CLAIM, "T2", False, usd("9.00"), usd("9.00"), match=1),
        ]
        back = {"contractual": "-30.00", "patient": "-20.00"}
        taken = [("PR", "2", "40.00"), ("CO", "253", "10.00"), ("OA", "23", "20.00")]
        plb = {"provider": "1999999984", "span_start": 400, "span_length": len(PLB)}
        pairs = [
            {**plb, "reason": "FB", "reference": "77", "amount": "-4.00 USD"},
            {**plb, "reason": "L6", "reference": "", "amount": "-1.00 USD"},
        ]
        self.history |= {
            ("claims", CLAIM): [
                decided(
                    0,
                    100,
                    ("-120.00", "-70.00"),
                    back,
                    kind="reversal",
                    reverses_remittance_id=REMITTANCE,
                    reverses_position=0,
                )
            ],
            ("claims", OTHER_CLAIM): [
                decided(
                    2, 300, ("120.00", "50.00"), {"patient": "40.00", "other": "30.00"}, taken, next_payer="MEDICARE"
                ),
                decided(1, 200, ("9.00", "9.00"), {}, match=1),
                ("claims.claim.denial-released", {"release": 1, "amount": "2.00 USD", "payer": PAYER}),
                (
                    "claims.claim.denial-written-off",
                    {
                        "write_off": 1,
                        "amount": "3.00 USD",
                        "payer": PAYER,
                        "reason": "too late",
                        "approved_by": "user:b",
                    },
                ),
            ],
            ("payments", SECOND): [("payments.remittance.accepted", {"summary": {"provider_adjustments": pairs}})],
        }

    def raw(self, message: Message, start: int, length: int) -> bytes:
        return BYTES[start][:length]
