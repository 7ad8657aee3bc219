"""All invariants over what was gathered, in their order."""

from __future__ import annotations

from collections.abc import Iterable

from throughline.checker.gathering import Gathered
from throughline.checker.invariants.balance import (
    debits_equal_credits,
    journal_lines_sum_to_zero,
    ledger_is_its_events,
)
from throughline.checker.invariants.clearing import clearing_is_explained
from throughline.checker.invariants.completeness import no_orphan_exception, nothing_vanishes
from throughline.checker.invariants.effects import one_effect_per_input
from throughline.checker.invariants.erp_agreement import erp_agrees
from throughline.checker.invariants.log_integrity import logs_are_intact
from throughline.checker.invariants.processes import processes_are_calm
from throughline.checker.invariants.provider_balances import due_to_payers_agrees
from throughline.checker.invariants.read_models import rebuilt_equals_live
from throughline.checker.invariants.receivables import receivables_agree
from throughline.checker.invariants.secrets_kept import no_phi
from throughline.checker.invariants.streams import streams_are_whole
from throughline.checker.result import Failures, Result, judged, skipped

ERP = ("I6", "The ERP holds the confirmed entries, each once, and no others")


def verdicts(gathered: Gathered) -> Iterable[Result]:
    """I1 to I11, then M1 to M4."""
    world = gathered.world
    yield debits_equal_credits(world.ledger)
    yield one_effect_per_input(world)
    yield nothing_vanishes(world)
    yield ledger_is_its_events(world.ledger, world.stores["ledger"].tables)
    yield rebuilt_equals_live(world)
    yield _erp(gathered)
    yield no_orphan_exception(world)
    yield logs_are_intact(world)
    yield streams_are_whole(world, gathered.nats)
    yield _phi(gathered)
    yield _processes(gathered)
    yield journal_lines_sum_to_zero(world.ledger)
    yield receivables_agree(world)
    yield clearing_is_explained(world)
    yield due_to_payers_agrees(world)


def _erp(gathered: Gathered) -> Result:
    if isinstance(gathered.erp, str):
        if not gathered.erp_is_expected:
            return skipped(*ERP, gathered.erp)
        failures = Failures()
        failures.add(gathered.erp)
        return judged(*ERP, failures)
    world = gathered.world
    cases = world.ledger.cases.values()
    subjects = {case.subject_id for case in cases if case.is_open and case.subject_id is not None}
    return erp_agrees(world.ledger, gathered.erp, subjects, settled=world.settled)


def _phi(gathered: Gathered) -> Result:
    if gathered.search is None:
        return skipped("I10", "No PHI outside sealed places", "no canaries were planted")
    return no_phi(gathered.search, gathered.canary_count, gathered.not_searched)


def _processes(gathered: Gathered) -> Result:
    if not gathered.samples and not gathered.stopped:
        return skipped("I11", "Processes are calm and bounded", "no service is running")
    settled = gathered.world.settled and gathered.is_still
    return processes_are_calm(gathered.samples, gathered.stopped, settled=settled)
