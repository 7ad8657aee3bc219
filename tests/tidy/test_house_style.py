"""The house style, as tests: each failure says what to do instead."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FUNCTION_LINES_MAX = 50
FILE_LINES_MAX = 350
CLOCK_PLACES = ("libs/chassis/src/chassis/runtime/", "libs/chassis/src/chassis/testing/", "libs/sandbox/", "libs/cli/")
ENVIRONMENT_PLACES = ("main.py", "libs/chassis/src/chassis/runtime/", "libs/sandbox/", "libs/cli/")


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.split("\n") if name and (ROOT / name).is_file()]


def own_code() -> list[Path]:
    return [path for path in tracked("*.py") if "/gen/" not in str(path) and "/tests/" not in str(path)]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, the docstring left out."""
    body = node.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and len(body) > 1:
        body = body[1:]
    return (node.end_lineno or 0) - body[0].lineno + 1


def test_no_function_is_longer_than_fifty_lines() -> None:
    long = [
        f"{relative(path)}:{node.lineno} {node.name} has {body_lines(node)} lines"
        for path in own_code()
        for node in functions(ast.parse(path.read_text()))
        if body_lines(node) > FUNCTION_LINES_MAX
    ]
    assert not long, "Split these; push ifs up and fors down:\n" + "\n".join(long)


def test_no_file_is_longer_than_350_lines() -> None:
    long = [
        f"{relative(path)} has {count} lines"
        for path in own_code()
        if (count := path.read_text().count("\n")) > FILE_LINES_MAX
    ]
    assert not long, "Make a package of each, with a module per thing it owns:\n" + "\n".join(long)


@pytest.mark.parametrize("word", ["utils", "common", "helpers", "base", "misc", "manager"])
def test_no_module_has_a_name_that_says_nothing(word: str) -> None:
    found = [relative(path) for path in own_code() if path.stem == word or word in path.parent.parts[-1:]]
    assert not found, f"Name these for what they own instead of {word}: {found}"


def test_money_is_never_a_float() -> None:
    money = re.compile(
        r"float\(.*(amount|money|charge|paid|balance|price|fee)|(amount|charge|paid|balance|price|fee)(?!\w*_seconds)\w*: float"
    )
    found = [
        f"{relative(path)}:{number}"
        for path in own_code()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if money.search(line)
    ]
    assert not found, f"Use canonical.money.Money: {found}"


def test_the_clock_is_passed_in() -> None:
    clock = re.compile(r"datetime\.now\(|date\.today\(|time\.time\(|utcnow\(")
    found = [
        f"{relative(path)}:{number}"
        for path in own_code()
        if not relative(path).startswith(CLOCK_PLACES)
        and path.name != "main.py"
        and not relative(path).startswith("tests/")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if clock.search(line)
    ]
    assert not found, f"Take a clock as an argument; main.py passes the real one: {found}"


def test_the_environment_is_read_in_main_alone() -> None:
    found = [
        relative(path)
        for path in own_code()
        if re.search(r"os\.environ|os\.getenv|getenv\(", path.read_text())
        and not relative(path).startswith(ENVIRONMENT_PLACES)
        and path.name != "main.py"
        and not relative(path).startswith("tests/")
    ]
    assert not found, f"Read settings in main.py and pass them in: {found}"


def test_no_file_names_a_package_index() -> None:
    address = re.compile(
        rb"(https?://|//)[\w.\-]*(pypi|pythonhosted|npmjs|proxy\.golang)[\w.\-/]*|--(extra-)?index-url|find-links", re.I
    )
    found = [
        relative(path)
        for path in tracked()
        if path.suffix not in (".pb",) and address.search(path.read_bytes()) and path != Path(__file__).resolve()
    ]
    assert not found, f"Pin by name, version and hash only: {found}"


def test_no_path_of_a_machine_is_written_down() -> None:
    place = re.compile(rb"/(work|root|home/\w+)/(main|shared|\.pyenv|\.library)")
    found = [relative(path) for path in tracked() if path.suffix != ".pb" and place.search(path.read_bytes())]
    assert not found, f"Use paths relative to the repository: {found}"


def test_every_service_has_its_rooms() -> None:
    for service in sorted(path for path in (ROOT / "services").iterdir() if (path / "pyproject.toml").is_file()):
        package = service / "src" / service.name.replace("-", "_")
        missing = [name for name in ("main.py", "domain", "application", "adapters") if not (package / name).exists()]
        assert (service / "README.md").is_file(), f"{service.name}: write the one-page README"
        assert not missing, f"{service.name}: {missing} is missing"


def test_only_the_chassis_publishes_and_subscribes() -> None:
    risky = re.compile(
        r"\.publish_async\(|broker\.publish\(|@broker\.subscriber|JStream\((?!.*declare=False)|\.subscriber\("
    )
    found = [
        f"{relative(path)}:{number}"
        for path in own_code()
        if not relative(path).startswith(("libs/chassis/src/chassis/messaging/", "tests/"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if risky.search(line)
    ]
    assert not found, f"Use the consume path and the relay of chassis.messaging: {found}"


def test_every_exclusion_from_a_check_gives_its_reason() -> None:
    bare = re.compile(r"#\s*(noqa|type:\s*ignore)\s*$")
    found = [
        f"{relative(path)}:{number}"
        for path in own_code()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if bare.search(line)
    ]
    assert not found, f"Name the rule that is excluded: {found}"


def test_no_note_to_self_is_left() -> None:
    word = re.compile(r"\b(TODO|FIXME|XXX)\b")
    found = [
        f"{relative(path)}:{number}"
        for path in own_code()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if word.search(line)
    ]
    assert not found, f"Do it, or open an issue: {found}"
