"""JSON files that a setting names, read into a strict model; what is wrong with one is told by place, never by value."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

_Content = TypeVar("_Content", bound=BaseModel)


def read_setting_file(path: Path, model: type[_Content], wrong: type[ValueError]) -> _Content:
    """The content of a file as `model` has it.

    Raises:
        wrong: the file cannot be read, or its content is not so; the message names the file and each place.
    """
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise wrong(f"{path.name}: {error.strerror}") from None
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        told = "; ".join(".".join(map(str, fault["loc"])) + ": " + fault["msg"] for fault in faults)
        raise wrong(f"{path.name}: {told}") from None
