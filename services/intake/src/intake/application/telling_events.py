"""Stored events in words without PHI, for people who look at what would change."""

from __future__ import annotations

from chassis.domain import Event

from intake.domain.encounter import Encounter


def told(event: Event) -> str:
    """What happens, to what: `encounter 3f0d...: charge-corrected: by -24.00, 99213, 1 unit(s), 100.00`."""
    _, subject, what = event.TOPIC.split(".")
    details = _details(event)
    return f"{subject} {event.originator_id}: {what}" + (f": {details}" if details else "")


def _details(event: Event) -> str:
    match event:
        case Encounter.ChargeCaptured():
            return _charge(event)
        case Encounter.ChargeCorrected():
            return f"by {event.change.decimal_text}, to {_charge(event)}"
        case Encounter.ChargeVoided():
            return f"charge {event.charge_id} by {event.change.decimal_text}"
        case Encounter.Revised():
            before, now = event.previous_total.decimal_text, event.total.decimal_text
            return f"posting {event.posting} from {before} to {now}, {event.reason.value}"
        case Encounter.Charged():
            return f"posting {event.posting}, {len(event.charges)} charge(s), {event.total.decimal_text}"
        case Encounter.Held():
            return "; ".join(map(str, event.reasons))
        case Encounter.CoverageAttached():
            return f"payer {event.payer or 'none: self-pay'}"
        case _:
            return ""


def _charge(event: Encounter.ChargeCaptured | Encounter.ChargeCorrected) -> str:
    line = event.charge.line
    code = line.procedure_code or line.revenue_code
    return f"{code}, {line.units.normalize():f} unit(s), {line.amount.decimal_text}, charge {line.charge_id}"
