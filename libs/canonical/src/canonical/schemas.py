"""The JSON Schemas of the public events: written, checked for drift, and never changed in a way that breaks a reader.

`python -m canonical.schemas` writes them, `--check` fails where the committed files differ from the code.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import canonical.events  # noqa: F401 - registers every public event
from canonical.classes import CanonicalModel, walk_classes
from canonical.envelope import PublicEvent, registered_events

FOLDER = Path("docs/contracts/schemas")
_FREE = frozenset({"description", "title", "default", "x-data-classes", "examples", "required"})


class BreakingChange(ValueError):
    """A schema change that an existing reader or an existing event would not survive; the message names the fields."""


def schema_of(event: type[CanonicalModel]) -> dict[str, Any]:
    """The JSON Schema of one model, with the data class of every leaf field under `x-data-classes`."""
    schema = event.model_json_schema(mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["x-data-classes"] = {path: found.value for path, found in walk_classes(event)}
    return schema


def file_name(event: type[PublicEvent]) -> str:
    """Where an event's schema lies below the folder of schemas."""
    return f"{event.SERVICE}/{event.TYPE}.v{event.VERSION}.json"


def rendered() -> dict[str, str]:
    """Every schema by file name, as text."""
    events = sorted(registered_events().values(), key=file_name)
    return {file_name(event): json.dumps(schema_of(event), indent=2, sort_keys=True) + "\n" for event in events}


def breaking_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What in `after` breaks a reader of `before`, or an event written under `before`: empty where nothing does."""
    return list(_breaks(before, after, "", before, after))


def _breaks(
    before: Any, after: Any, path: str, before_root: Mapping[str, Any], after_root: Mapping[str, Any]
) -> Iterator[str]:
    before, after = _resolve(before, before_root), _resolve(after, after_root)
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        if before != after:
            yield f"{path}: changed from {before!r} to {after!r}"
        return
    yield from _property_breaks(before, after, path, before_root, after_root)
    for key in (set(before) | set(after)) - _FREE - {"properties", "$defs", "enum", "$schema"}:
        if key not in before or key not in after:
            yield f"{path}: {key} {'removed' if key in before else 'added'}"
        elif isinstance(before[key], list) and isinstance(after[key], list):
            yield from _list_breaks(before[key], after[key], f"{path}.{key}", before_root, after_root)
        else:
            yield from _breaks(before[key], after[key], f"{path}.{key}", before_root, after_root)
    lost = set(before.get("enum", ())) - set(after.get("enum", ()))
    if lost:
        yield f"{path}: values {sorted(map(str, lost))} removed"


def _list_breaks(
    before: list[Any], after: list[Any], path: str, before_root: Mapping[str, Any], after_root: Mapping[str, Any]
) -> Iterator[str]:
    if len(before) != len(after):
        yield f"{path}: alternatives changed"
        return
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        yield from _breaks(old, new, f"{path}[{index}]", before_root, after_root)


def _property_breaks(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    path: str,
    before_root: Mapping[str, Any],
    after_root: Mapping[str, Any],
) -> Iterator[str]:
    old, new = before.get("properties", {}), after.get("properties", {})
    for name in old:
        if name not in new:
            yield f"{path}.{name}: removed"
        else:
            yield from _breaks(old[name], new[name], f"{path}.{name}", before_root, after_root)
    for name in new.keys() - old.keys():
        if "default" not in _resolve(new[name], after_root) and "default" not in new[name]:
            yield f"{path}.{name}: added without a default, so older events cannot be read"


def _resolve(node: Any, root: Mapping[str, Any]) -> Any:
    if isinstance(node, Mapping) and "$ref" in node:
        target: Any = root
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return target
    return node


def check(folder: Path) -> list[str]:
    """What is wrong with the committed schemas: drift from the code, and changes that break a reader."""
    faults = []
    texts = rendered()
    committed = {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.json"))}
    for name in sorted(committed.keys() - texts.keys()):
        faults.append(f"{name}: the event is gone; public events stay, a new major version stands beside")
    for name, text in texts.items():
        if name not in committed:
            faults.append(f"{name}: not committed; run `make schemas`")
        elif committed[name] != text:
            breaks = breaking_changes(json.loads(committed[name]), json.loads(text))
            faults.extend(f"{name}{fault}" for fault in breaks)
            if not breaks:
                faults.append(f"{name}: out of date; run `make schemas`")
    return faults


def write(folder: Path) -> list[Path]:
    """Writes what is missing or has grown.

    Raises:
        BreakingChange: nothing of a schema that breaks a reader is written.
    """
    written = []
    for name, text in rendered().items():
        path = folder / name
        if path.is_file():
            if path.read_text() == text:
                continue
            breaks = breaking_changes(json.loads(path.read_text()), json.loads(text))
            if breaks:
                raise BreakingChange("; ".join(f"{name}{fault}" for fault in breaks))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        written.append(path)
    return written


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    if not arguments.check:
        written = write(arguments.folder)
        sys.stdout.write(f"{len(written)} schemas written\n")
        return 0
    faults = check(arguments.folder)
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
