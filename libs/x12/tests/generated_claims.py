"""Claims of all shapes, valid by construction: what hypothesis draws for the tests of the three 837 writers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from canonical.money import Money
from hypothesis import strategies as st
from x12.claim_parties import Address, BillingProvider, Patient, Payer, Provider, ServiceFacility, Subscriber
from x12.other_payers import AdjudicatedLine, OtherPayer, OtherSubscriber, PriorAdjustment
from x12.professional_claim import (
    AmbulanceTransport,
    Attachment,
    ClaimDates,
    Drug,
    ProfessionalClaim,
    ProfessionalLine,
    RelatedCauses,
)
from x12.submission_envelope import Receiver, SubmissionEnvelope, Submitter

HOME = Address("2 SIDE ST", "SAMPLETOWN", "AK", "99111")
CLINIC = BillingProvider(
    "SAMPLE CLINIC", "1912301953", "777667755", Address("1 MAIN ST", "SAMPLETOWN", "AK", "991111234"), "207Q00000X"
)
HOSPITAL = BillingProvider(
    "SAMPLE HOSPITAL", "1234567893", "777667756", Address("3 HIGH ST", "SAMPLETOWN", "AK", "991111235"), pay_to=HOME
)
PLAN = Payer("SAMPLE HEALTH PLAN", "87726")
ROBIN = Subscriber("SAMPLE", "ROBIN", "W000001", date(1980, 1, 2), "F", HOME, group_number="G1")
ENVELOPE = SubmissionEnvelope("THROUGHLINE", "CLEARHOUSE", 7, 8, datetime(2026, 3, 2, 12, 30, tzinfo=UTC), "BATCH7")
SUBMITTER = Submitter("THROUGHLINE", "TL01", "BILLING DESK", "8005551212")
RECEIVER = Receiver("CLEARING HOUSE", "CH01")
OTHER_PLANS = (Payer("FIRST PLAN", "11111", "MB"), Payer("SECOND PLAN", "22222"))

words = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789&'()+,-./;=?", min_size=1, max_size=20)
identifiers = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=2, max_size=20)
maybe_identifier = st.one_of(st.just(""), identifiers)
maybe_words = st.one_of(st.just(""), words)
days = st.dates(date(1920, 1, 1), date(2030, 12, 31))
maybe_day = st.one_of(st.none(), days)
amounts = st.integers(0, 99_999_999).map(Money)
addresses = st.builds(Address, words, st.just("SAMPLETOWN"), st.just("AK"), st.sampled_from(["99111", "991111234"]))
subscribers = st.builds(
    Subscriber,
    words,
    words,
    identifiers,
    days,
    st.sampled_from("FMU"),
    addresses,
    plan_name=maybe_words,
    casualty_number=maybe_identifier,
)
patients = st.builds(
    Patient,
    words,
    words,
    days,
    st.sampled_from("FMU"),
    addresses,
    st.sampled_from(["01", "19", "G8"]),
    casualty_number=maybe_identifier,
)
npis = st.sampled_from(["1912301953", "1234567893"])
people = st.builds(Provider, words, words, npis, st.sampled_from(["", "207Q00000X"]))
organisations = st.builds(
    Provider, words, st.just(""), npis, st.sampled_from(["", "207Q00000X"]), is_organisation=st.just(True)
)
maybe_person = st.one_of(st.none(), people)
rendering = st.one_of(st.none(), people, organisations)
facilities = st.one_of(
    st.none(),
    st.builds(
        ServiceFacility,
        words,
        st.builds(Address, words, st.just("SAMPLETOWN"), st.just("AK"), st.just("991111234")),
        st.sampled_from(["", "1912301953"]),
    ),
)
drugs = st.one_of(
    st.none(),
    st.builds(
        Drug,
        st.just("00002751001"),
        st.decimals(Decimal("0.001"), 9999, places=3),
        st.sampled_from(["F2", "GR", "ME", "ML", "UN"]),
        maybe_identifier,
    ),
)
attachments = st.lists(st.builds(Attachment, st.just("OZ"), st.sampled_from(["AA", "EL"])), max_size=2).map(tuple)
quantities = st.decimals(Decimal("0.001"), 9999, places=3)
modifier_lists = st.lists(st.sampled_from(["25", "59", "RT"]), max_size=4).map(tuple)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[date, date | None]:
    first = draw(days)
    return first, draw(st.one_of(st.none(), st.integers(0, 90).map(lambda count: first + timedelta(days=count))))


@st.composite
def professional_lines(draw: st.DrawFn) -> ProfessionalLine:
    first, last = draw(ranges())
    by_minutes = draw(st.booleans())
    return ProfessionalLine(
        draw(st.sampled_from(["99213", "87070", "J1100"])),
        draw(amounts),
        first,
        draw(identifiers),
        draw(modifier_lists),
        Decimal(1) if by_minutes else draw(quantities),
        tuple(draw(st.lists(st.integers(1, 2), min_size=1, max_size=4))),
        draw(st.integers(1, 600)) if by_minutes else 0,
        last,
        draw(st.sampled_from(["", "11", "22"])),
        draw(maybe_words),
        draw(st.booleans()),
        draw(maybe_identifier),
        draw(maybe_words),
        draw(drugs),
        draw(rendering),
        draw(facilities),
        draw(maybe_person),
        draw(maybe_person),
    )


claim_dates = st.one_of(
    st.builds(ClaimDates, *[maybe_day] * 7, st.none(), *[maybe_day] * 5),
    ranges().map(lambda disability: ClaimDates(disability_began=disability[0], disability_ended=disability[1])),
)
causes = st.one_of(
    st.none(),
    st.just(RelatedCauses(automobile=True, state="AK")),
    st.just(RelatedCauses(employment=True, other_accident=True)),
)
transports = st.one_of(
    st.none(),
    st.builds(
        AmbulanceTransport,
        st.sampled_from("ABCDE"),
        st.decimals(0, 999, places=1),
        addresses,
        addresses,
        st.lists(st.sampled_from(["01", "04", "05", "09", "12"]), min_size=1, max_size=5).map(tuple),
        st.booleans(),
        st.one_of(st.none(), st.integers(1, 900)),
        maybe_words,
        maybe_words,
        maybe_words,
    ),
)


@st.composite
def splits(draw: st.DrawFn, whole: Money) -> tuple[Money, tuple[PriorAdjustment, ...]]:
    """What was paid of an amount, and the adjustments that explain the rest: at most six reasons in a group."""
    cuts = sorted(draw(st.lists(st.integers(0, whole.minor), max_size=8)))
    parts = [after - before for before, after in pairwise([0, *cuts, whole.minor])]
    adjustments = tuple(
        PriorAdjustment(
            draw(st.sampled_from(["CO", "PR", "OA", "PI"])),
            str(index % 6 + 1),
            Money(part),
            draw(st.one_of(st.none(), quantities)),
        )
        for index, part in enumerate(parts[1:])
    )
    return Money(parts[0]), adjustments


@st.composite
def other_payers(draw: st.DrawFn, charges: Sequence[Money]) -> tuple[OtherPayer, ...]:
    """None to two other payers, each undecided, decided as a whole or decided line by line."""
    return tuple(
        draw(decided_by(plan, place, charges))
        for plan, place in zip(OTHER_PLANS[: draw(st.integers(0, 2))], "PT", strict=False)
    )


@st.composite
def decided_by(draw: st.DrawFn, plan: Payer, place: str, charges: Sequence[Money]) -> OtherPayer:
    holder = draw(
        st.builds(OtherSubscriber, words, maybe_words, identifiers, st.just(""), st.one_of(st.none(), addresses))
    )
    undecided = OtherPayer(
        plan, holder, place, draw(st.sampled_from(["18", "01", "19"])), draw(maybe_identifier), draw(maybe_words)
    )
    how = draw(st.sampled_from(["not yet", "as a whole", "by line"]))
    if how == "not yet":
        return undecided
    known = replace(
        undecided,
        remark_codes=tuple(draw(st.lists(st.sampled_from(["MA01", "N130", "M15"]), max_size=5))),
        claim_control_number=draw(maybe_identifier),
        remaining_liability=draw(st.one_of(st.none(), amounts)),
    )
    if how == "as a whole":
        paid, adjustments = draw(splits(Money.total(charges)))
        return replace(known, paid=paid, adjustments=adjustments, adjudicated_on=draw(days))
    lines: list[AdjudicatedLine] = []
    for number, charge in enumerate(charges, 1):
        paid, adjustments = draw(splits(charge))
        lines.append(AdjudicatedLine(number, paid, draw(days), adjustments))
    withheld, adjustments = draw(splits(Money.total(line.paid for line in lines)))
    return replace(known, paid=withheld, adjustments=adjustments, lines=tuple(lines))


@st.composite
def professional_claims(draw: st.DrawFn) -> ProfessionalClaim:
    lines = tuple(draw(st.lists(professional_lines(), min_size=1, max_size=3)))
    dates, why = draw(claim_dates), draw(causes)
    if why:
        dates = replace(dates, accident=draw(days))
    frequency = draw(st.sampled_from("178"))
    return ProfessionalClaim(
        draw(identifiers),
        draw(st.sampled_from(["11", "22"])),
        ("R0789", "I10"),
        lines,
        draw(st.sampled_from([CLINIC, HOSPITAL])),
        replace(draw(st.one_of(st.just(ROBIN), subscribers)), responsibility="S"),
        PLAN,
        draw(st.one_of(st.none(), patients)),
        draw(rendering),
        frequency,
        draw(identifiers) if frequency != "1" else "",
        draw(maybe_person),
        draw(maybe_person),
        draw(facilities),
        draw(maybe_identifier),
        draw(maybe_identifier),
        draw(maybe_words),
        draw(st.sampled_from(["ADD", "CER", "DCP", "DGN", "TPO"])),
        dates,
        why,
        draw(st.sampled_from(["", "1", "11"])),
        draw(st.one_of(st.none(), amounts)),
        draw(maybe_identifier),
        draw(st.sampled_from(["", "12D4567890"])),
        draw(attachments),
        draw(transports),
        tuple(draw(st.lists(st.just("00100"), max_size=2))),
        tuple(draw(st.lists(st.sampled_from(["AA", "AB"]), max_size=14))),
        draw(other_payers([line.charge for line in lines])),
        draw(st.sampled_from("ABC")),
        draw(st.sampled_from("YNW")),
        draw(st.sampled_from("YI")),
    )
