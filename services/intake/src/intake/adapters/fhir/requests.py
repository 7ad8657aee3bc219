"""What an address or an entry of a bundle asks to be done with a resource, and under which condition."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from intake.domain.refusals import Finding, InvalidMessage

_ETAG = re.compile(r'(?:W/)?"?([1-9][0-9]{0,8})"?')
_ADDRESS = re.compile(r"([A-Za-z]{1,40})(?:/([A-Za-z0-9.-]{1,64}))?(?:\?(.{1,500}))?")
_SEARCH_KEYS = ("identifier",)


@dataclass(frozen=True, slots=True)
class Request:
    """A create (`POST Patient`) or update (`PUT Patient/1`, `PUT Patient?identifier=system|value`) of one resource.

    `search` are system and value of a condition, `expected_version` 0 where any version will do.
    """

    method: str
    type: str
    id: str = ""
    search: tuple[str, str] | None = None
    only_if_new: bool = False
    expected_version: int = 0

    @property
    def keeps_id(self) -> bool:
        """Whether the resource is known by the id that the sender gave."""
        return self.method == "PUT" and bool(self.id)


def request_of(
    place: str, method: object, address: object, if_match: object = None, if_none_exist: object = None
) -> Request:
    """The request that a method, an address relative to the base and two conditions make.

    Raises:
        InvalidMessage: it asks for anything but a create or an update, or its conditions are none that can be told.
    """
    if method not in ("PUT", "POST"):
        raise _refused(f"{place}.method", "request-method", "PUT or POST")
    found = _ADDRESS.fullmatch(address.lstrip("/")) if isinstance(address, str) else None
    if found is None:
        raise _refused(f"{place}.url", "request-url", "Type, Type/id or Type?identifier=system|value")
    kind, identity, query = found[1], found[2] or "", found[3] or ""
    if method == "POST" and (identity or query):
        raise _refused(f"{place}.url", "request-url", "a create is sent to its type; its condition is ifNoneExist")
    if method == "PUT" and not identity and not query:
        raise _refused(f"{place}.url", "request-url", "an update names the resource")
    search = _search(f"{place}.url", query) if query else None
    only_if_new = method == "POST" and if_none_exist is not None
    if only_if_new:
        search = _search(f"{place}.ifNoneExist", if_none_exist)
    return Request(str(method), kind, identity, search, only_if_new, _version(f"{place}.ifMatch", if_match))


def _search(place: str, query: object) -> tuple[str, str]:
    """One identifier, as system and value; nothing else is searched by."""
    pairs = parse_qsl(query.rpartition("?")[2], keep_blank_values=True) if isinstance(query, str) else []
    key, value = pairs[0] if len(pairs) == 1 else ("", "")
    system, bar, number = value.partition("|")
    if key not in _SEARCH_KEYS or not bar or not system or not number:
        raise _refused(place, "condition", "one condition: identifier=system|value")
    return system, number


def _version(place: str, if_match: object) -> int:
    if if_match is None or if_match == "":
        return 0
    found = _ETAG.fullmatch(if_match.strip()) if isinstance(if_match, str) else None
    if found is None:
        raise _refused(place, "condition", 'an entity tag of ours: W/"3"')
    return int(found[1])


def _refused(field: str, rule: str, note: str) -> InvalidMessage:
    return InvalidMessage([Finding(field, rule, note)])
