"""Where in the mouth a dental charge was done: no field of the standard has it, so the site profile says where it stands."""

from __future__ import annotations

from canonical.encounter import DentalSite
from pydantic import ValidationError

from intake.adapters.hl7v2.context import Reading
from intake.adapters.hl7v2.segments import Message


def dental_site(group: Message, place: str, reading: Reading) -> DentalSite | None:
    """Tooth, surfaces and areas of the mouth of a transaction; nothing where none is told, and a finding where they are none."""
    profile = reading.profile
    teeth, surfaces, areas = (
        _values(where, group) for where in (profile.tooth, profile.tooth_surfaces, profile.mouth_areas)
    )
    if not (teeth or surfaces or areas):
        return None
    try:
        if len(teeth) <= 1:
            letters = tuple(dict.fromkeys("".join(surfaces).upper()))
            return DentalSite(tooth="".join(teeth).upper().lstrip("0"), surfaces=letters, areas=areas)
    except ValidationError:
        pass
    reading.refuse(place, "dental-site", "one tooth (1 to 32, A to T), its surfaces by letter, areas of two digits")
    return None


def _values(where: str, group: Message) -> tuple[str, ...]:
    """The value of every repetition of a field; surfaces may stand in one, as MOD."""
    if not where:
        return ()
    name, _, number = where.partition("-")
    segment = group.first(name)
    if segment is None:
        return ()
    of_field, _, component = number.partition(".")
    places = range(1, segment.repetition_count(int(of_field)) + 1)
    found = (segment.field(int(of_field), int(component or 1), repetition=place) for place in places)
    return tuple(filter(None, found))
