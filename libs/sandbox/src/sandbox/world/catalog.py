"""What the made-up EHR draws from: names, streets, procedures with prices, diagnoses, and who works where."""

from __future__ import annotations

from dataclasses import dataclass

FAMILY_NAMES = (
    "Abernathy", "Bellweather", "Corrigan", "Dellamore", "Eastwick", "Fenwright", "Gallowmere", "Hollister", "Inskeep",
    "Jessamine", "Kettering", "Lockhaven", "Merriwether", "Northgate", "Oakenfold", "Pemberly", "Quillfeather", "Ravenhill",
    "Stonebridge", "Thistledown", "Underhill", "Vandermoor", "Whitlock", "Yarborough", "Zellweger-Pike",
)  # fmt: skip
FEMALE_NAMES = ("Alba", "Bettina", "Clio", "Dorothea", "Elspeth", "Fenna", "Greta", "Hester", "Isolde", "Junia")
MALE_NAMES = ("Anselm", "Barnaby", "Caspian", "Desmond", "Evander", "Fergus", "Gideon", "Horatio", "Ignatius", "Jasper")
STREETS = ("Alder Lane", "Birch Road", "Cedar Court", "Dogwood Drive", "Elm Street", "Foxglove Way")
CITIES = (("Springfield", "455010000"), ("Fairview", "441260000"), ("Milltown", "430850000"))


@dataclass(frozen=True, slots=True)
class Procedure:
    """A procedure as the EHR prices it: `price_minor` is the unit price in cents.

    What a ward provides has a revenue code, and some of it no code of its own; a dental one has a tooth and surfaces.
    """

    code: str
    description: str
    price_minor: int
    units_max: int = 1
    modifier: str = ""
    revenue_code: str = ""
    tooth: str = ""
    surfaces: str = ""


@dataclass(frozen=True, slots=True)
class Ward:
    """Where an encounter of one entity takes place, who sees the patient, and what is done there.

    `department` is the code of our master data; `source_department` is how the entity's own EHR calls it.
    """

    entity: str
    department: str
    source_department: str
    location: str
    providers: tuple[str, ...]
    procedures: tuple[Procedure, ...]


_OFFICE = (
    Procedure("99213", "Office visit, established, low", 12_400),
    Procedure("99214", "Office visit, established, moderate", 18_750),
    Procedure("99203", "Office visit, new, low", 16_980),
    Procedure("36415", "Venipuncture", 1_875),
    Procedure("80053", "Comprehensive metabolic panel", 4_215),
    Procedure("81002", "Urinalysis", 1_290),
    Procedure("90471", "Immunization administration", 3_333),
    Procedure("J3420", "Vitamin B12 injection", 917, units_max=3),
    Procedure("99213", "Office visit with separate procedure", 12_400, modifier="25"),
)
_EMERGENCY = (
    Procedure("99283", "Emergency visit, moderate", 48_210),
    Procedure("99284", "Emergency visit, high", 79_465),
    Procedure("96374", "Intravenous push", 15_607),
    Procedure("J1885", "Ketorolac injection", 1_234, units_max=4),
    Procedure("71046", "Chest X-ray, two views", 21_899),
)
_IMAGING = (
    Procedure("71046", "Chest X-ray, two views", 21_899, modifier="TC"),
    Procedure("70450", "CT head without contrast", 112_050),
    Procedure("74177", "CT abdomen with contrast", 168_301),
    Procedure("76700", "Abdominal ultrasound", 39_999),
)
_CARDIOLOGY = (
    Procedure("93000", "Electrocardiogram", 9_875),
    Procedure("93306", "Echocardiogram", 98_640),
    Procedure("93015", "Cardiovascular stress test", 45_120),
    Procedure("99215", "Office visit, established, high", 24_310),
)
WARDS = (
    Ward("NORTH", "N-FM", "FAMMED", "N-MAIN", ("PRV01", "PRV02"), _OFFICE),
    Ward("NORTH", "N-IM", "INTMED", "N-MAIN", ("PRV02",), _OFFICE),
    Ward("NORTH", "N-PED", "PEDS", "N-EAST", ("PRV03",), _OFFICE),
    Ward("SOUTH", "S-ED", "S-ED", "S-ER", ("PRV04",), _EMERGENCY),
    Ward("SOUTH", "S-RAD", "S-RAD", "S-OUTPT", ("PRV05",), _IMAGING),
    Ward("SOUTH", "S-CARD", "S-CARD", "S-OUTPT", ("PRV06",), _CARDIOLOGY),
)
DIAGNOSES = (
    ("J06.9", "Acute upper respiratory infection"),
    ("I10", "Essential hypertension"),
    ("E11.9", "Type 2 diabetes without complications"),
    ("M54.50", "Low back pain"),
    ("R07.9", "Chest pain"),
    ("Z00.00", "General adult examination"),
    ("K21.9", "Reflux disease without esophagitis"),
    ("R51.9", "Headache"),
)
