"""Parses the segments of one CLP loop; the hot path of every remittance, so it splits only what it reads."""

from __future__ import annotations

from collections.abc import Callable

from x12.findings import FindingLog
from x12.remittance import MOVES_NO_MONEY, PARTY_CODES, PHI_NAME_CODES, Adjustment, ClaimPayment, ServiceLine
from x12.segments import Delimiters, component_separator, element_of
from x12.values import cents_of, date_of, is_npi, quantity_of

GROUPS = frozenset(["CO", "OA", "PI", "PR"])
GROUPS_OF_4010 = GROUPS | {"CR"}
STATUSES = frozenset(["1", "2", "3", "4", "19", "20", "21", "22", "23", "25"])
_CAS_ELEMENTS_MAX = 20
_REASON_CHARACTERS_MAX = 5
_MIA_REMARKS = (5, 20, 21, 22, 23)
_MOA_REMARKS = (3, 4, 5, 6, 7)
_QUALIFIER_LENGTH = 2

_Elements = list[str]


class ClaimPaymentParser:
    """Turns the texts of one claim after the other into `ClaimPayment`; faults go to `log`."""

    def __init__(self, delimiters: Delimiters, log: FindingLog, groups: frozenset[str] = GROUPS) -> None:
        self._separator = delimiters.element
        self._component = delimiters.component
        self._log = log
        self._groups = groups
        self._claim: ClaimPayment
        self._line: ServiceLine | None = None
        self._scope: ClaimPayment | ServiceLine
        self._component_noted = False
        self._handlers: dict[str, Callable[[_Elements, int], None]] = {
            "CLP": self._second_claim,
            "CAS": self._adjustments,
            "NM1": self._name,
            "MIA": self._inpatient_remarks,
            "MOA": self._outpatient_remarks,
            "REF": self._reference,
            "DTM": self._date,
            "PER": self._contact,
            "AMT": self._amount,
            "QTY": self._quantity,
            "SVC": self._service,
            "LQ": self._remark,
        }

    def parse(self, texts: list[str], position: int) -> ClaimPayment:
        """The claim of `texts`, of which the first is a CLP segment at `position`. Index and span are the caller's."""
        separator = self._separator
        claim = self._claim = self._scope = self._open(texts[0].split(separator), position)
        self._line = None
        handlers = self._handlers
        for text in texts[1:]:
            position += 1
            elements = text.split(separator)
            handler = handlers.get(elements[0])
            if handler is None:
                self._log.quarantine("unknown_segment", "", position, "the segment has no place in a claim of an 835")
            else:
                handler(elements, position)
        return claim

    def _open(self, elements: _Elements, position: int) -> ClaimPayment:
        if len(elements) < 12:
            elements = elements + [""] * (12 - len(elements))
        _, number, status, charge, paid, owed, filing, payer_number, facility, frequency, _, drg = elements[:12]
        charge_minor, paid_minor, owed_minor = cents_of(charge), cents_of(paid), cents_of(owed) if owed else 0
        if charge_minor is None or paid_minor is None or owed_minor is None or not number or status not in STATUSES:
            self._note_claim_faults(elements, position)
        elif paid_minor and status in MOVES_NO_MONEY:
            self._log.note(
                "status_moves_no_money", "CLP", position, "CLP04 is not zero under a status that pays nothing"
            )
        return ClaimPayment(
            0,
            position,
            0,
            0,
            number,
            status,
            charge_minor or 0,
            paid_minor or 0,
            owed_minor or 0,
            owed != "",
            filing,
            payer_number,
            facility,
            frequency,
            drg,
        )

    def _note_claim_faults(self, elements: _Elements, position: int) -> None:
        log = self._log
        for number in (3, 4, 5):
            if cents_of(elements[number]) is None and (number < 5 or elements[number]):
                log.quarantine("not_an_amount", "CLP", position, f"CLP{number:02d} is not an amount")
        if not elements[1]:
            log.quarantine("missing_patient_control_number", "CLP", position, "CLP01 is empty")
        if elements[2] not in STATUSES:
            log.quarantine("unknown_status", "CLP", position, "CLP02 is not a claim status of this guide")

    def _adjustments(self, elements: _Elements, position: int) -> None:
        count = len(elements)
        group = elements[1] if count > 1 else ""
        target = self._scope.adjustments
        if group not in self._groups or count < 4 or count > _CAS_ELEMENTS_MAX:
            self._log.quarantine("cas_head", "CAS", position, "CAS needs a known group and one to six triplets")
        for number in range(2, count, 3):
            reason = elements[number]
            amount = elements[number + 1] if number + 1 < count else ""
            quantity = elements[number + 2] if number + 2 < count else ""
            if not reason and not amount and not quantity:
                continue
            cents = cents_of(amount)
            if (
                cents is None
                or not 0 < len(reason) <= _REASON_CHARACTERS_MAX
                or (quantity and quantity_of(quantity) is None)
            ):
                message = f"the triplet at CAS{number:02d} is not reason, amount and quantity"
                self._log.quarantine("cas_triplet", "CAS", position, message)
            if cents is not None:
                target.append(Adjustment(group, reason, cents, quantity, position))

    def _service(self, elements: _Elements, position: int) -> None:
        if len(elements) < 8:
            elements = elements + [""] * (8 - len(elements))
        composite = elements[1]
        procedure = composite.split(self._component)
        if len(procedure) == 1:
            procedure = self._undeclared_components(composite, position)
        charge_minor, paid_minor = cents_of(elements[2]), cents_of(elements[3])
        if charge_minor is None or paid_minor is None:
            self._log.quarantine("not_an_amount", "SVC", position, "SVC02 and SVC03 must be amounts")
        line = ServiceLine(
            position, procedure, charge_minor or 0, paid_minor or 0, elements[4], elements[5], elements[6], elements[7]
        )
        self._line = self._scope = line
        self._claim.lines.append(line)

    def _undeclared_components(self, composite: str, position: int) -> list[str]:
        used = component_separator(composite, _QUALIFIER_LENGTH, self._component)
        if used != self._component and not self._component_noted:
            self._component_noted = True
            self._log.note("component_separator", "SVC", position, "composites use another separator than ISA16 says")
        return composite.split(used)

    def _name(self, elements: _Elements, position: int) -> None:
        code = elements[1] if len(elements) > 1 else ""
        if self._line is not None:
            self._log.quarantine("misplaced_segment", "NM1", position, "a name stands after the claim's lines")
        names = self._claim.parties if code in PARTY_CODES else self._claim.phi.names
        if code in names:
            self._log.note("repeated_name", "NM1", position, "a name of this kind stands twice; the last one is used")
        elif names is self._claim.phi.names and code not in PHI_NAME_CODES:
            self._log.note("unknown_name", "NM1", position, "NM101 is not a kind of name that a claim of an 835 has")
        names[code] = elements
        if len(elements) > 9 and elements[8] == "XX" and not is_npi(elements[9]):
            self._log.note("npi_check_digit", "NM1", position, "NM109 is called an NPI and has a wrong check digit")

    def _reference(self, elements: _Elements, position: int) -> None:
        qualifier, value = element_of(elements, 1), element_of(elements, 2)
        if qualifier == "6R" and self._line is not None:
            self._line.line_control_number = value
        else:
            self._scope.references.append((qualifier, value))

    def _date(self, elements: _Elements, position: int) -> None:
        value = date_of(element_of(elements, 2))
        if value is None:
            self._log.note("not_a_date", "DTM", position, "DTM02 is not a date")
        self._scope.dates.append((element_of(elements, 1), value))

    def _amount(self, elements: _Elements, position: int) -> None:
        cents = cents_of(element_of(elements, 2))
        if cents is None:
            self._log.note("amount_not_read", "AMT", position, "AMT02 is not an amount")
        self._scope.amounts.append((element_of(elements, 1), cents))

    def _quantity(self, elements: _Elements, position: int) -> None:
        self._scope.quantities.append((element_of(elements, 1), element_of(elements, 2)))

    def _remark(self, elements: _Elements, position: int) -> None:
        if element_of(elements, 1) == "HE" or self._line is None:
            self._scope.remark_codes.append(element_of(elements, 2))
        else:
            self._line.rejection_codes = (*self._line.rejection_codes, element_of(elements, 2))

    def _inpatient_remarks(self, elements: _Elements, position: int) -> None:
        self._claim.inpatient = elements
        self._claim.remark_codes += filter(None, (element_of(elements, number) for number in _MIA_REMARKS))

    def _outpatient_remarks(self, elements: _Elements, position: int) -> None:
        self._claim.outpatient = elements
        self._claim.remark_codes += filter(None, (element_of(elements, number) for number in _MOA_REMARKS))

    def _second_claim(self, elements: _Elements, position: int) -> None:
        self._log.quarantine("misplaced_segment", "CLP", position, "a CLP segment stands inside another claim")

    def _contact(self, elements: _Elements, position: int) -> None:
        self._claim.contacts = (*self._claim.contacts, elements)
