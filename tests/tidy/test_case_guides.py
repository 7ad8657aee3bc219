"""Every code of a case has a guide, and what a guide names can be done: its commands and calls exist."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from chassis.exceptions.guides import ANY_OTHER, REFUSED_MESSAGE, CaseGuide, Guides, actions_of_every_case
from claims.main import SHAPE as CLAIMS
from intake.main import SHAPE as INTAKE
from ledger_adapter.main import SHAPE as LEDGER
from payments.main import SHAPE as PAYMENTS

ROOT = Path(__file__).parents[2]
GUIDES: Mapping[str, Guides] = {
    "intake": INTAKE.guides,
    "claims": CLAIMS.guides,
    "payments": PAYMENTS.guides,
    "ledger_adapter": LEDGER.guides,
}
SERVICE_OF = {"ledger_adapter": "ledger"}
_RAISING = re.compile(r"raise|report|tell|about")
_CODE = re.compile(r"(?:[A-Z][a-z]+){2,}")
_ROUTE = re.compile(r'(?:get|post): "(/v1/[^"]+)"')
_PLACES = dict(
    re.findall(
        r'defer\(app, "([a-z0-9-]+)", "([a-z_.]+:[a-z_]+)"',
        (ROOT / "libs" / "cli" / "src" / "throughline" / "main.py").read_text(),
    )
)
_SCOPE = re.compile(r"[a-z.-]+\.(?:read|write|approve|reprocess)|exchange folder")


def codes_raised(package: str) -> Iterator[tuple[str, str]]:
    """The codes of cases that a service's code names where it raises one, each with its place."""
    folder = ROOT / "services" / package.replace("_", "-") / "src"
    for path in sorted(folder.rglob("*.py")):
        name = ".".join(path.relative_to(folder).with_suffix("").parts)
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        for call in calls:
            if _RAISING.search(_called(call)):
                values = [*call.args, *(each.value for each in call.keywords if each.arg == "code")]
                for code in (code for value in values for code in _codes_in(value, importlib.import_module(name))):
                    yield code, f"{name}:{call.lineno}"


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _codes_in(value: ast.expr, module: ModuleType) -> Iterator[str]:
    texts: list[Any] = [value.value] if isinstance(value, ast.Constant) else []
    names = [node.id for node in ast.walk(value) if isinstance(node, ast.Name) and node.id.isupper()]
    for text in (*texts, *(getattr(module, name, None) for name in names)):
        if isinstance(text, str) and _CODE.fullmatch(text):
            yield text


@pytest.mark.parametrize("package", GUIDES)
def test_every_code_that_a_service_raises_a_case_with_has_a_guide(package: str) -> None:
    raised = list(codes_raised(package))
    assert len(raised) > 1
    lacking = sorted({f"{code} ({place})" for code, place in raised if code not in GUIDES[package]})
    assert not lacking, f"say in {package}/application/case_guides.py what a person may do about: {', '.join(lacking)}"


def every_guide() -> Iterator[tuple[str, str, CaseGuide]]:
    for package, guides in GUIDES.items():
        yield from ((SERVICE_OF.get(package, package), name, guide) for name, guide in guides.items())
    yield from (("claims", "of any message", REFUSED_MESSAGE), ("claims", "of anything", ANY_OTHER))


def every_command() -> Iterator[tuple[str, str]]:
    for service, name, guide in every_guide():
        common = actions_of_every_case(service, guide, can_be_retried=True)
        for command in (*guide.evidence, *(action.command for action in (*guide.actions, *common))):
            yield f"{service} {name}", command


def routes() -> set[str]:
    texts = [path.read_text() for path in (ROOT / "proto" / "billing").rglob("*.proto")]
    return {re.sub(r"\{[^}]+\}", "{}", route) for text in texts for route in _ROUTE.findall(text)}


def test_every_command_and_call_that_a_guide_names_is_there() -> None:
    known, missing = routes(), set()
    for place, command in every_command():
        if command.startswith("POST "):
            is_there = re.sub(r"\{[^}]+\}", "{}", command.removeprefix("POST ")) in known
        else:
            is_there = _is_a_command(command)
        if not is_there:
            missing.add(f"{place}: {command}")
    assert not missing, f"no such command or call: {', '.join(sorted(missing))}"


def command_named(name: str) -> Any:
    """A command of the command line, or the group of its commands."""
    module, _, attribute = _PLACES[name].partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer()
        alone.command(name)(found)
        found = alone
    return typer.main.get_command(found)


def _is_a_command(line: str) -> bool:
    words = shlex.split(line.replace("{", "").replace("}", ""))
    assert words[0] == "throughline"
    if words[1] not in _PLACES:
        return False
    found: Any = command_named(words[1])
    rest = words[2:]
    while getattr(found, "commands", None):
        found, rest = found.commands.get(rest[0]), rest[1:]
    if found is None:
        return False
    options = {name: option for option in found.params for name in (*option.opts, *option.secondary_opts)}
    given = [word for word in rest if word.startswith("--")]
    takes_value = [name for name in given if name in options and not options[name].is_flag]
    places = len(rest) - len(given) - len(takes_value)
    arguments = [option for option in found.params if option.param_type_name == "argument"]
    needed = [option for option in found.params if option.required and option.param_type_name == "option"]
    return (
        all(name in options for name in given)
        and all(set(option.opts + option.secondary_opts) & set(given) for option in needed)
        and sum(option.required for option in arguments) <= places <= len(arguments)
    )


def test_a_guide_is_told_in_plain_sentences_with_the_scope_of_each_action() -> None:
    for service, name, guide in every_guide():
        place = f"{service} {name}"
        assert guide.means.endswith((".", "WHY")), place
        assert guide.within_days > 0, place
        for action in guide.actions:
            assert action.does.endswith("."), place
            assert _SCOPE.fullmatch(action.scope), f"{place}: {action.scope}"


def test_a_command_that_is_not_there_is_found() -> None:
    assert _is_a_command("throughline payments match PAYMENT ACCOUNT")
    assert not _is_a_command("throughline payments match PAYMENT")
    assert not _is_a_command("throughline payments rematch PAYMENT ACCOUNT")
    assert not _is_a_command("throughline claim void CLAIM")
