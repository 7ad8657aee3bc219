"""Customers at NetSuite: our party's code there is the external id, which NetSuite takes once.

A customer gets its code for a name: nothing else is known of it here, and nothing else goes there.
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx
from chassis.domain import Unavailable

from ledger_adapter.adapters.books import Books
from ledger_adapter.adapters.erp_calls import NEVER_SENT
from ledger_adapter.adapters.netsuite_client import NetSuiteClient
from ledger_adapter.adapters.netsuite_lists import CUSTOMERS, NetSuiteLists
from ledger_adapter.adapters.netsuite_words import identity_in, is_closed_door, refusal_in
from ledger_adapter.application.ports import ErpParty, ErpUncertain, KeptParty, Refused


class NetSuiteParties:
    """Finds and makes customers."""

    def __init__(self, name: str, client: NetSuiteClient, lists: NetSuiteLists, books: Mapping[str, Books]) -> None:
        self._name = name
        self._client = client
        self._lists = lists
        self._books = books

    def find(self, entity: str, code: str) -> KeptParty | None:
        theirs = self._books[entity].chart.party_of(code)
        identity = self._lists.id_of(CUSTOMERS, theirs)
        return KeptParty(theirs, identity) if identity else None

    def create(self, party: ErpParty) -> KeptParty | Refused:
        """
        Raises:
            Unavailable: nothing was made.
            ErpUncertain: it may have been made; its external id tells.
        """
        theirs = self._books[party.entity].chart.party_of(party.code)
        body: dict[str, object] = {
            "externalId": theirs,
            "entityId": theirs,
            "companyName": theirs,
            "isPerson": False,
            "subsidiary": {"id": self._lists.company(party.entity).subsidiary},
        }
        try:
            response = self._client.create(CUSTOMERS, body)
        except NEVER_SENT as error:
            raise Unavailable(f"{self._name} cannot be reached: {type(error).__name__}") from error
        except httpx.TransportError as error:
            raise ErpUncertain(f"no answer: {type(error).__name__}") from error
        if is_closed_door(response):
            raise Unavailable(f"{self._name} answered {response.status_code} and made no customer")
        if response.is_success and identity_in(response):
            return KeptParty(theirs, identity_in(response))
        if not response.is_client_error:
            raise ErpUncertain(f"{self._name} answered {response.status_code}")
        return refusal_in(response)
