"""The columns of a charge batch: the published profile, from which `docs/charge-batch.md` is written."""

from __future__ import annotations

import re
from dataclasses import dataclass

CONTROL = "#CONTROL"
SELF_PAY = "SELFPAY"
CHARGE, VOID = "charge", "void"
PATIENT = (
    "patient_number",
    "family_name",
    "given_name",
    "birth_date",
    "sex",
    "address_line",
    "city",
    "state",
    "postal_code",
)
VISIT = ("entity", "location", "rendering_provider")
PAYER = ("payer", "member_id", "group_number", "plan")
SECOND = "second_"
SECOND_PAYER = tuple(SECOND + name for name in PAYER)
ONE_A_VISIT = (*PATIENT, *VISIT, *PAYER, *SECOND_PAYER)
"""What every row of one visit says alike."""

_TEXT = r"[^\x00-\x1f\x7f]{1,%d}"
_CODE = r"[A-Za-z0-9][A-Za-z0-9._/-]{0,19}"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


@dataclass(frozen=True, slots=True)
class Column:
    """`pattern` is what a value looks like, in full; `shape` says it in words."""

    name: str
    pattern: str
    shape: str
    meaning: str
    required: bool = False

    def fits(self, value: str) -> bool:
        return re.fullmatch(self.pattern, value) is not None


COLUMNS = (
    Column("source", _CODE, "a code", "the system that sends the batch, as master data knows it", True),
    Column("entity", _CODE, "a code", "the legal entity that bills", True),
    Column("patient_number", _TEXT % 64, "at most 64 characters", "the source's own number of the patient", True),
    Column("family_name", _TEXT % 80, "at most 80 characters", "the patient's family name", True),
    Column("given_name", _TEXT % 80, "at most 80 characters", "the patient's given name", True),
    Column("birth_date", _DAY, "YYYY-MM-DD", "the patient's day of birth", True),
    Column("sex", "[MFU]", "M, F or U", "the patient's sex for billing; empty leaves what is known"),
    Column("address_line", _TEXT % 120, "at most 120 characters", "street and number; an empty address leaves what is known"),
    Column("city", _TEXT % 60, "at most 60 characters", "city of the address"),
    Column("state", "[A-Z]{2}", "two letters", "state of the address"),
    Column("postal_code", r"[0-9]{5}(-?[0-9]{4})?", "5 or 9 digits", "postal code of the address"),
    Column("visit_number", _TEXT % 64, "at most 64 characters", "the visit; its rows stand or fall together", True),
    Column("location", _CODE, "a code", "where the visit was, in the source's code"),
    Column("rendering_provider", _CODE, "a code", "who is responsible for the visit, in the source's code"),
    Column("payer", _CODE, "a code, or SELFPAY", "who pays, in the source's code; empty leaves what is known"),
    Column("member_id", _TEXT % 80, "at most 80 characters", "the patient's number at the payer"),
    Column("group_number", _TEXT % 80, "at most 80 characters", "the group at the payer"),
    Column("plan", _CODE, "a code", "the plan at the payer"),
    Column("second_payer", _CODE, "a code", "who pays what the first leaves, in the source's code; empty leaves what is known"),
    Column("second_member_id", _TEXT % 80, "at most 80 characters", "the patient's number at the second payer"),
    Column("second_group_number", _TEXT % 80, "at most 80 characters", "the group at the second payer"),
    Column("second_plan", _CODE, "a code", "the plan at the second payer"),
    Column("transaction_id", _TEXT % 64, "at most 64 characters", "the source's own id of the charge, for ever the same", True),
    Column("action", f"{CHARGE}|{VOID}", "charge or void", "void takes the charge of this id back; empty means charge"),
    Column("service_date", _DAY, "YYYY-MM-DD", "the day of the service", True),
    Column("procedure_code", "[A-Z0-9]{5}", "five characters", "CPT or HCPCS; may be empty where a revenue code stands"),
    Column("modifiers", "[A-Z0-9]{2}( [A-Z0-9]{2}){0,3}", "two characters each", "at most four, with a space between"),
    Column("revenue_code", "[0-9]{4}", "four digits", "for facility charges"),
    Column("units", r"[0-9]{1,6}(\.[0-9]{1,4})?", "a number above 0", "how many units", True),
    Column("amount", r"[0-9]{1,10}(\.[0-9]{2})?", "dollars, with two decimals or none", "the whole line, not one unit", True),
    Column("diagnosis_codes", r"[A-Z0-9.]{3,8}( [A-Z0-9.]{3,8}){0,11}", "ICD-10-CM with the dot", "at most twelve, with a space between, the principal one first"),
    Column("department", _CODE, "a code", "the department that earns it, in the source's code"),
    Column("performer", _CODE, "a code", "who did it, in the source's code; empty means the visit's provider"),
)  # fmt: skip
BY_NAME = {column.name: column for column in COLUMNS}
_INTRODUCTION = """# Charge batches

A department that has no interface may send its charges as one CSV file, dropped into the intake folder or fetched from its
SFTP server. The file is UTF-8, with commas between values and quotation marks (`"`) where a value holds a comma; a row is a line.

- The first line names the columns, in any order. No other column may stand there.
- Every row is one charge. The rows of one `visit_number` stand or fall together, and the others are taken without them;
  they say the same of the patient, the visit and the payer.
- The last line is the control row: `#CONTROL`, the number of rows, and the sum of the column `amount`. Where it is
  missing or differs, nothing of the file is taken, and the file is refused by `control-row`, `control-count` or
  `control-amount`.
- The same file again changes nothing. A row with a known `transaction_id` and other content corrects that charge; with
  `void` as its action it takes the charge back.
- What is refused is named by line and column in `answers-outbound/<file>.rejects.csv`, without any value of the file.

| column | needed | what it looks like | what it means |
|---|---|---|---|
"""


def profile_page() -> str:
    """The published profile as a page."""
    rows = (f"| `{each.name}` | {'yes' if each.required else ''} | {each.shape} | {each.meaning} |" for each in COLUMNS)
    return _INTRODUCTION + "\n".join(rows) + "\n"
