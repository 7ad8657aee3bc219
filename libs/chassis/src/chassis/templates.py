"""Configuration templates: every variable given, none unknown, nothing that could break the file."""

from __future__ import annotations

import re
from collections.abc import Mapping

_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


class TemplateNotFilled(ValueError):
    """The template's variables and the given ones are not the same, or a value would break the file."""


def variables_of(template: str) -> frozenset[str]:
    """The names of the variables that the template wants."""
    return frozenset(_VARIABLE.findall(template))


def rendered(template: str, variables: Mapping[str, str]) -> str:
    """The template with each `${NAME}` replaced by its value.

    Raises:
        TemplateNotFilled: a variable is missing, one is unknown to the template, `${` stands without a proper name, or a
            value holds a line break.
    """
    wanted = variables_of(template)
    if missing := sorted(wanted - variables.keys()):
        raise TemplateNotFilled(f"no value for {', '.join(missing)}")
    if unknown := sorted(variables.keys() - wanted):
        raise TemplateNotFilled(f"the template knows no {', '.join(unknown)}")
    if "${" in _VARIABLE.sub("", template):
        raise TemplateNotFilled("`${` without a name of capitals, digits and underscores, and `}`")
    if broken := sorted(name for name, value in variables.items() if "\n" in value or "\r" in value):
        raise TemplateNotFilled(f"a line break in the value of {', '.join(broken)}")
    return _VARIABLE.sub(lambda match: variables[match.group(1)], template)
