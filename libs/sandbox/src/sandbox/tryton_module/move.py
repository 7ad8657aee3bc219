"""The journal entry's external number: what an integration searches by, and what keeps it from booking twice."""

from typing import Any

from trytond.exceptions import UserError
from trytond.model import Unique, fields
from trytond.model.exceptions import AccessError
from trytond.pool import PoolMeta
from trytond.pyson import Eval
from trytond.rpc import RPC


class Move(metaclass=PoolMeta):  # type: ignore[metaclass]
    """A journal entry that knows under which number the posting system keeps it."""

    __name__ = "account.move"

    external_number = fields.Char("External Number", states={"readonly": Eval("state") == "posted"})

    @classmethod
    def __setup__(cls) -> None:
        extended: Any = super()
        extended.__setup__()
        table = cls.__table__()
        cls._sql_constraints.append(
            (
                "external_number_unique",
                Unique(table, table.company, table.external_number),
                "throughline.msg_external_number_unique",
            )
        )
        cls.__rpc__["book"] = RPC(readonly=False, result=_as_receipts)

    @classmethod
    def book(cls, entries: list[dict[str, object]]) -> list["Move"]:
        """Create and post all entries in one transaction, or none of them.

        Raises:
            UserError: an entry is unbalanced, its number is taken, its period is closed; the message says which.
        """
        try:
            moves: list[Move] = cls.create(entries)
            cls.post(moves)
        except AccessError as refusal:
            # The REST API answers an access error with a bare 403, and the caller must know that a period is closed.
            raise UserError(refusal.message, refusal.description) from refusal
        return moves

    @classmethod
    def copy(cls, moves: list["Move"], default: dict[str, object] | None = None) -> list["Move"]:
        """Copies, and the cancelling entries made from them, start without the number."""
        extended: Any = super()
        copies: list[Move] = extended.copy(moves, default={"external_number": None, **(default or {})})
        return copies


def _as_receipts(moves: list[Any]) -> list[dict[str, object]]:
    return [
        {"id": move.id, "number": move.number, "state": move.state, "external_number": move.external_number}
        for move in moves
    ]
