"""Large files for measurements: many made-up claims, and the one remittance that pays them all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from canonical.ids import derive, patient_control_number
from canonical.money import Money

from sandbox.world.adjudication import PayerRules, adjudicate
from sandbox.world.catalog import FAMILY_NAMES, FEMALE_NAMES, WARDS
from sandbox.world.dice import Dice
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.received_claims import ReceivedClaim, ReceivedLine
from sandbox.world.remittances import PaidClaim, Remittance, write_remittance


def made_up_claims(
    claim_count: int,
    seed: int,
    payer_code: str,
    entity_code: str,
    day: date,
    control_numbers: Sequence[str] | None = None,
) -> Iterable[ReceivedClaim]:
    """Claims of one payer and entity; `control_numbers` are their CLP01 where the biller has sent such claims."""
    payer = sandbox_master_data().payer(payer_code, day)
    entity = sandbox_master_data().entity(entity_code, day)
    for ordinal in range(claim_count):
        dice = Dice(seed, "bulk", ordinal)
        lines = _lines(dice, ordinal, day)
        yield ReceivedClaim(
            patient_control_number=(
                control_numbers[ordinal] if control_numbers else patient_control_number(derive("bulk", seed, ordinal))
            ),
            charge=Money.total(line.charge for line in lines),
            place_of_service="11",
            frequency="1",
            billing_npi=entity.npi,
            payer_identifier=payer.x12_identifier,
            member_id=f"M{10_000_000 + ordinal}",
            family_name=FAMILY_NAMES[ordinal % len(FAMILY_NAMES)].upper(),
            given_name=FEMALE_NAMES[ordinal % len(FEMALE_NAMES)].upper(),
            lines=lines,
        )


def _lines(dice: Dice, ordinal: int, day: date) -> tuple[ReceivedLine, ...]:
    draw = dice.below(1 << 30, "lines")
    procedures = WARDS[draw % len(WARDS)].procedures
    service_date = f"{day - timedelta(days=10 + draw % 50):%Y%m%d}"
    lines = []
    for line in range(1, 1 + draw // 7 % 4 + 1):
        procedure = procedures[(draw + line) % len(procedures)]
        charge = Money(procedure.price_minor)
        modifiers = (procedure.modifier,) if procedure.modifier else ()
        lines.append(ReceivedLine(procedure.code, modifiers, charge, "1", service_date, f"{ordinal}L{line}"))
    return tuple(lines)


def generate_remittance(
    claim_count: int,
    payment_date: date,
    *,
    seed: int = 1,
    payer_code: str = "ACME",
    entity_code: str = "NORTH",
    control_numbers: Sequence[str] | None = None,
    rules: PayerRules | None = None,
) -> Remittance:
    """One balanced 835 that pays that many claims, the same bytes for the same arguments."""
    payer = sandbox_master_data().payer(payer_code, payment_date)
    claims = made_up_claims(claim_count, seed, payer_code, entity_code, payment_date, control_numbers)
    paid = [
        PaidClaim(adjudicate(claim, payer, seed, rules or PayerRules()), f"BULK{ordinal:08d}")
        for ordinal, claim in enumerate(claims)
    ]
    entity = sandbox_master_data().entity(entity_code, payment_date)
    trace = f"{payer.x12_identifier}{payment_date:%y%m%d}B{seed % 10_000:04d}"
    return write_remittance(payer, entity, trace, payment_date, paid, 900_000_000 + seed % 1_000_000)
