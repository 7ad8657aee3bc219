"""How fast claims become an 837P, and what it costs to validate them, here and in other processes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from time import perf_counter

from canonical.money import Money
from x12.claim_parties import Address, BillingProvider, Patient, Payer, Provider, ServiceFacility, Subscriber
from x12.other_payers import AdjudicatedLine, OtherPayer, OtherSubscriber, PriorAdjustment
from x12.professional_claim import ProfessionalClaim, ProfessionalLine
from x12.professional_claim_writer import write_professional_claims
from x12.reading import read
from x12.submission_envelope import Receiver, SubmissionEnvelope, Submitter
from x12.submitted_claim import SubmissionTrailer
from x12.validation import validate
from x12.validation_pool import ValidationPool

from tests.performance.figures import Bar, Baseline, Figure, Sums
from tests.performance.stopwatch import seconds_of

BAR = Bar(3_000, 3_000)
WORKERS = 2
CLAIMS_OF_A_FILE = 500
DAY = date(2026, 3, 1)
HOME = Address("2 SIDE ST", "SAMPLETOWN", "AK", "99111")
CLINIC = BillingProvider(
    "SAMPLE CLINIC", "1912301953", "777667755", Address("1 MAIN ST", "SAMPLETOWN", "AK", "991111234"), "207Q00000X"
)
PLAN, FIRST_PLAN = Payer("SAMPLE HEALTH PLAN", "87726"), Payer("FIRST PLAN", "11111", "MB")
DOCTOR = Provider("HEALER", "KIM", "1912301953", "207Q00000X")
HALL = ServiceFacility("SAMPLE HALL", CLINIC.address, "1234567893")
ENVELOPE = SubmissionEnvelope("THROUGHLINE", "CLEARHOUSE", 7, 8, datetime(2026, 3, 2, 12, 30, tzinfo=UTC), "BATCH7")
SUBMITTER = Submitter("THROUGHLINE", "TL01", "BILLING DESK", "8005551212")
RECEIVER = Receiver("CLEARING HOUSE", "CH01")


def writing(claim_count: int) -> list[Figure]:
    """One row: every fourth claim is of a dependent, every fifth is a secondary one that must balance line by line."""
    claims = [_claim(number) for number in range(claim_count)]
    files = [claims[start : start + CLAIMS_OF_A_FILE] for start in range(0, claim_count, CLAIMS_OF_A_FILE)]
    _written(files[0])
    began = perf_counter()
    written = [_written(file) for file in files]
    seconds = perf_counter() - began
    found = [event for raw in written for event in read(raw) if isinstance(event, SubmissionTrailer)]
    here, one, elsewhere, violations = _validation(written, claim_count)
    figure = Figure(
        row="write",
        work=f"claims → 837P before validation: {claim_count:,} claims, {sum(map(len, written)) / 1_000_000:.1f} MB",
        value=claim_count / seconds,
        unit="claims/s",
        bar=BAR,
        baseline=_bare_join(written, claim_count),
        details=(
            f"validated by pyx12 in this process: {here:,.0f} claims/s; in one worker process, as claims does: {one:,.0f}; "
            f"in {WORKERS}: {elsewhere:,.0f}",
        ),
        sums=(
            Sums("claims written", str(claim_count), str(sum(each.claims for each in found))),
            Sums("CLM02 in all", str(sum(claim.charge.minor for claim in claims)), _charged(found)),
            Sums("violations of the guide", "0", str(violations)),
        ),
    )
    return [figure]


def _written(claims: Sequence[ProfessionalClaim]) -> bytes:
    return write_professional_claims(ENVELOPE, SUBMITTER, RECEIVER, claims)


def _charged(found: Sequence[SubmissionTrailer]) -> str:
    return str(sum(each.charge_minor for each in found))


def _validation(written: Sequence[bytes], claim_count: int) -> tuple[float, float, float, int]:
    """Claims a second here, in one worker process and in several that are warm, and what all of them found."""
    validate(written[0])
    began = perf_counter()
    violations = sum(len(validate(raw)) for raw in written)
    here = claim_count / (perf_counter() - began)
    (one, found), (several, found_by_several) = (_in_processes(written, claim_count, count) for count in (1, WORKERS))
    return here, one, several, violations + found + found_by_several


def _in_processes(written: Sequence[bytes], claim_count: int, workers: int) -> tuple[float, int]:
    with ValidationPool(workers) as pool, ThreadPoolExecutor(workers) as threads:
        list(threads.map(pool.validate, [written[0]] * workers))
        began = perf_counter()
        violations = sum(map(len, threads.map(pool.validate, written)))
        return claim_count / (perf_counter() - began), violations


def _bare_join(written: Sequence[bytes], claim_count: int) -> Baseline:
    """The same bytes out of elements that are text already: nothing is checked, summed or formatted."""
    split = [[segment.split("*") for segment in raw.decode("ascii").split("~")] for raw in written]

    def join() -> None:
        for segments in split:
            "~".join(["*".join(elements) for elements in segments]).encode("ascii")

    return Baseline("str.join of segments and elements, nothing checked", claim_count / seconds_of(join))


def _claim(number: int) -> ProfessionalClaim:
    lines = (
        ProfessionalLine("99213", Money(10_050 + number % 97), DAY, "1", ("25",)),
        ProfessionalLine("87070", Money(5_000), DAY, "2", units=Decimal(2), diagnosis_pointers=(1, 2)),
    )
    subscriber = Subscriber("SAMPLE", f"ROBIN{number % 26}", f"W{number:08d}", date(1980, 1, 2), "F", HOME)
    claim = ProfessionalClaim(
        f"PCN{number:08d}",
        "11",
        ("R0789", "I10"),
        lines,
        CLINIC,
        subscriber,
        PLAN,
        Patient("SAMPLE", "KIM", date(2015, 3, 4), "M", HOME, "19") if number % 4 == 0 else None,
        DOCTOR,
        referring_provider=DOCTOR,
        service_facility=HALL,
        prior_authorization="AUTH1",
    )
    return _secondary(claim) if number % 5 == 0 else claim


def _secondary(claim: ProfessionalClaim) -> ProfessionalClaim:
    decisions = tuple(
        AdjudicatedLine(
            number,
            line.charge - Money(1_500),
            DAY,
            (PriorAdjustment("CO", "45", Money(1_000)), PriorAdjustment("PR", "2", Money(500))),
        )
        for number, line in enumerate(claim.lines, 1)
    )
    primary = OtherPayer(
        FIRST_PLAN,
        OtherSubscriber("SAMPLE", "ROBIN", "M1"),
        "P",
        paid=Money.total(decision.paid for decision in decisions),
        lines=decisions,
    )
    return replace(claim, subscriber=replace(claim.subscriber, responsibility="S"), other_payers=(primary,))
