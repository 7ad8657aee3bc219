"""Writes the families of HI in an institutional claim, in the guide's order."""

from __future__ import annotations

import re
from collections.abc import Sequence

from x12.claim_loops import diagnosis, write_codes
from x12.errors import UnwritableValue
from x12.institutional_claim import ClinicalCodes, Diagnosis, Procedure
from x12.segment_writer import SegmentWriter
from x12.writable import amount, day

REASONS_FOR_VISIT_MAX = 3
EXTERNAL_CAUSES_MAX = 12
CODES_OF_A_FAMILY_MAX = 24
_PRESENT_ON_ADMISSION = frozenset(["", "N", "U", "W", "Y"])
_PRESENT_PLACE = 9
_ICD_10_PCS = re.compile("[0-9A-HJ-NP-Z]{7}")


def write_institutional_codes(writer: SegmentWriter, field: str, principal: Diagnosis, codes: ClinicalCodes) -> None:
    """HI segments: diagnoses with their present-on-admission indicators, DRG, procedures, occurrences, values, conditions."""
    write_codes(writer, [_diagnosis(writer, "ABK", f"{field}.principal_diagnosis", principal)])
    if codes == _NO_CODES:
        return
    place = f"{field}.codes"
    if codes.admitting_diagnosis:
        admitting = diagnosis(f"{place}.admitting_diagnosis", codes.admitting_diagnosis)
        write_codes(writer, [writer.composite("ABJ", admitting)])
    _bounded(f"{place}.reasons_for_visit", codes.reasons_for_visit, REASONS_FOR_VISIT_MAX)
    write_codes(
        writer,
        [writer.composite("APR", diagnosis(f"{place}.reasons_for_visit", code)) for code in codes.reasons_for_visit],
    )
    _write_diagnoses(writer, "ABN", f"{place}.external_causes", codes.external_causes, EXTERNAL_CAUSES_MAX)
    if codes.drg:
        writer.add("HI", writer.composite("DR", writer.text(f"{place}.drg", codes.drg, 4, shortest=3)))
    _write_diagnoses(writer, "ABF", f"{place}.other_diagnoses", codes.other_diagnoses, CODES_OF_A_FAMILY_MAX)
    principal_procedures = [codes.principal_procedure] if codes.principal_procedure else []
    _write_procedures(writer, "BBR", f"{place}.principal_procedure", principal_procedures)
    _write_procedures(writer, "BBQ", f"{place}.other_procedures", codes.other_procedures)
    _write_occurrences(writer, place, codes)
    _bounded(f"{place}.conditions", codes.conditions, CODES_OF_A_FAMILY_MAX)
    conditions = [_nubc(writer, f"{place}.conditions", code) for code in codes.conditions]
    write_codes(writer, [writer.composite("BG", code) for code in conditions])
    _bounded(f"{place}.treatments", codes.treatments, CODES_OF_A_FAMILY_MAX)
    treatments = [writer.text(f"{place}.treatments", code, 30) for code in codes.treatments]
    write_codes(writer, [writer.composite("TC", code) for code in treatments])


def _write_occurrences(writer: SegmentWriter, place: str, codes: ClinicalCodes) -> None:
    _bounded(f"{place}.occurrence_spans", codes.occurrence_spans, CODES_OF_A_FAMILY_MAX)
    spans = []
    for index, span in enumerate(codes.occurrence_spans):
        if span.ends_on < span.begins_on:
            raise UnwritableValue(f"{place}.occurrence_spans[{index}].ends_on", "is before the first day")
        code = _nubc(writer, f"{place}.occurrence_spans[{index}].code", span.code)
        spans.append(writer.composite("BI", code, "RD8", f"{day(span.begins_on)}-{day(span.ends_on)}"))
    write_codes(writer, spans)
    _bounded(f"{place}.occurrences", codes.occurrences, CODES_OF_A_FAMILY_MAX)
    write_codes(
        writer,
        [
            writer.composite(
                "BH", _nubc(writer, f"{place}.occurrences[{index}].code", each.code), "D8", day(each.occurred_on)
            )
            for index, each in enumerate(codes.occurrences)
        ],
    )
    _bounded(f"{place}.values", codes.values, CODES_OF_A_FAMILY_MAX)
    values = []
    for index, value in enumerate(codes.values):
        code = _nubc(writer, f"{place}.values[{index}].code", value.code)
        values.append(writer.composite("BE", code, "", "", amount(f"{place}.values[{index}].amount", value.amount)))
    write_codes(writer, values)


def _write_diagnoses(
    writer: SegmentWriter, qualifier: str, field: str, diagnoses: Sequence[Diagnosis], most: int
) -> None:
    _bounded(field, diagnoses, most)
    write_codes(
        writer,
        [_diagnosis(writer, qualifier, f"{field}[{index}]", each) for index, each in enumerate(diagnoses)],
    )


def _diagnosis(writer: SegmentWriter, qualifier: str, field: str, each: Diagnosis) -> str:
    present = writer.one_of(f"{field}.present_on_admission", each.present_on_admission, _PRESENT_ON_ADMISSION)
    code = diagnosis(f"{field}.code", each.code)
    return writer.composite(qualifier, code, *([""] * (_PRESENT_PLACE - 3)), present)


def _write_procedures(writer: SegmentWriter, qualifier: str, field: str, procedures: Sequence[Procedure]) -> None:
    _bounded(field, procedures, CODES_OF_A_FAMILY_MAX)
    for each in procedures:
        if not _ICD_10_PCS.fullmatch(each.code):
            raise UnwritableValue(field, "must be ICD-10-PCS codes of seven characters")
    write_codes(writer, [writer.composite(qualifier, each.code, "D8", day(each.performed_on)) for each in procedures])


def _nubc(writer: SegmentWriter, field: str, code: str) -> str:
    return writer.text(field, code, 2, shortest=2)


def _bounded(field: str, values: Sequence[object], most: int) -> None:
    if len(values) > most:
        raise UnwritableValue(field, f"must be at most {most}")


_NO_CODES = ClinicalCodes()
