"""PHI never reaches an ERP: a field that could hold it fails the build where it is written, and a run where it is given."""

from __future__ import annotations

import ast
import inspect
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from canonical.classes import CanonicalModel, DataClass, Financial, Phi, Pii, Public
from canonical.codes import AccountRole
from canonical.journal import JournalLine
from canonical.money import Money
from ledger_adapter.adapters.books import Chart
from ledger_adapter.application import ports
from ledger_adapter.application.ports import Code, Erp, ErpJournal, ErpLine, ErpParty, PartyKeeper
from ledger_adapter.domain.erp_payload import ErpPayload, HoldsFreeText
from pydantic import Field, ValidationError, create_model

FIELDS: dict[str, Any] = {
    "PHI": Phi[Code],
    "PII": Pii[Code],
    "free text that is called public": Public[str],
    "free text that is called financial": Financial[str],
    "a pattern that takes words": Public[Annotated[str, Field(pattern=r"^[A-Za-z ,]+$")]],
    "PHI that may be absent": Annotated[Code | None, DataClass.PHI],
    "PHI in a list": tuple[Phi[Code], ...],
    "anything": Annotated[Any, DataClass.PUBLIC],
    "free text by name": Public[dict[str, str]],
}


class _Patient(CanonicalModel):
    name: Phi[str]


@pytest.mark.parametrize("what", FIELDS)
@pytest.mark.parametrize("payload", [ErpLine, ErpJournal, ErpParty])
def test_a_payload_with_a_field_that_could_hold_phi_cannot_be_defined(payload: type[ErpPayload], what: str) -> None:
    with pytest.raises(HoldsFreeText):
        create_model("Wider", __base__=payload, patient=(FIELDS[what], ...))


def test_a_payload_that_holds_a_model_with_phi_cannot_be_defined() -> None:
    with pytest.raises(HoldsFreeText, match=r"Wider\.patient\.name: PHI and PII never go to an ERP"):
        create_model("Wider", __base__=ErpLine, patient=(_Patient, ...))


def test_a_payload_that_takes_unknown_fields_cannot_be_defined() -> None:
    with pytest.raises(HoldsFreeText, match="refuses fields"):
        type("Wider", (ErpLine,), {"model_config": {"extra": "allow"}, "__module__": __name__})


def test_a_code_may_be_added_to_a_payload() -> None:
    wider = create_model("Wider", __base__=ErpLine, fund=(Public[Code], "F1"))
    assert wider(account=AccountRole.CASH, amount=Money(1)).model_dump()["fund"] == "F1"


@pytest.mark.parametrize(
    ("field", "marks"), [("patient_name: Phi[str]", "Phi"), ("memo: Public[str]", "Public"), ("memo: str", "Public")]
)
def test_the_ports_do_not_import_once_a_line_of_theirs_gets_such_a_field(field: str, marks: str) -> None:
    source = inspect.getsource(ports)
    assert "    account: AccountRole\n    party:" in source
    changed = source.replace(
        "    account: AccountRole\n    party:", f"    account: AccountRole\n    {field}\n    party:"
    )
    changed = changed.replace("import Public\n", f"import {', '.join(sorted({marks, 'Public'}))}\n", 1)
    with pytest.raises(TypeError, match=r"ErpLine\.(patient_name|memo)"):
        imported(changed)
    imported(source)


def imported(source: str) -> None:
    """Runs a module's source as an import does."""
    module = types.ModuleType("ports_with_one_more_field")
    sys.modules[module.__name__] = module
    try:
        exec(compile(source, module.__name__, "exec", dont_inherit=True), module.__dict__)
    finally:
        del sys.modules[module.__name__]


def test_every_model_that_an_erp_is_given_is_such_a_payload() -> None:
    given = set(models_in(typing.get_type_hints(Erp.post)["documents"]))
    given |= set(models_in(typing.get_type_hints(PartyKeeper.create_party)["party"]))
    assert given == {ErpJournal, ErpParty}
    assert all(issubclass(each, ErpPayload) for each in with_nested(given))


def with_nested(models: set[type[CanonicalModel]]) -> Iterator[type[CanonicalModel]]:
    for model in models:
        yield model
        for field in model.model_fields.values():
            yield from with_nested(set(models_in(field.annotation)))


def models_in(annotation: Any) -> Iterator[type[CanonicalModel]]:
    if isinstance(annotation, type) and issubclass(annotation, CanonicalModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from models_in(part)


LINE: dict[str, Any] = {"account": AccountRole.CASH, "amount": Money(1)}


@pytest.mark.parametrize("more", [{"patient_name": "DOE"}, {"memo": "x"}, {"party": "John Doe"}, {"location": "a b"}])
def test_phi_that_a_run_gives_to_a_payload_is_refused_on_every_road(more: dict[str, Any]) -> None:
    line = ErpLine(**LINE)
    with pytest.raises(ValidationError) as refused:
        ErpLine(**LINE, **more)
    assert "John" not in str(refused.value)
    with pytest.raises(ValidationError):
        ErpLine.model_validate(LINE | more)
    with pytest.raises(ValidationError):
        line.model_copy(update=more)
    with pytest.raises(ValidationError):
        ErpLine.trusted(**LINE, **more)
    with pytest.raises(TypeError, match="by its constructor"):
        ErpLine.model_construct(**LINE, **more)


@pytest.mark.parametrize("more", [{"dimensions": {"patient_name": "CLASS"}}, {"patients": {"DOE": "C1"}}])
def test_a_chart_that_maps_more_than_accounts_parties_and_dimensions_is_refused(more: dict[str, Any]) -> None:
    chart = {"accounts": {role: f"A{place}" for place, role in enumerate(AccountRole)}}
    assert not Chart.model_validate(chart).dimensions
    with pytest.raises(ValidationError):
        Chart.model_validate(chart | more)


def test_a_field_that_our_own_journal_lines_gain_does_not_pass_unseen() -> None:
    """Lines for the ERP are made of every field of ours: one more is refused, not carried along."""
    wider = create_model("Wider", __base__=JournalLine, patient_name=(Phi[str], "DOE"))
    line = wider(account=AccountRole.CASH, party="", amount=Money(1))
    with pytest.raises(ValidationError, match="patient_name"):
        ErpLine(**dict(line))


def test_no_adapter_of_an_erp_knows_patients_claims_or_encounters() -> None:
    """Adapters see payloads alone: what names a patient is not among the words of their code."""
    folder = Path(inspect.getfile(ports)).parents[1] / "adapters"
    speaking = {"grpc.py", "grpc_desk.py", "messages.py"}
    adapters = [path for path in sorted(folder.glob("*.py")) if path.name not in speaking and "grpc" not in path.name]
    assert len(adapters) > 10
    for path in adapters:
        names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        told = {name for name in names if name.startswith(("patient_id", "encounter", "claim", "guarantor"))}
        assert not told, f"{path.name} reads {', '.join(sorted(told))}: an ERP is told accounts, parties and amounts"
