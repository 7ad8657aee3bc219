"""Amounts as ERPs write them: plain decimals, debit and credit apart."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from canonical.money import Money, MoneyRefused
from chassis.domain import Unavailable


def decimal_of(amount: Money) -> Decimal:
    """An amount as a number with cents, in the base currency of the books."""
    return Decimal(amount.minor).scaleb(-2)


def net_of_sides(debit: object, credit: object) -> Money:
    """Debit less credit, either of which may be absent.

    Raises:
        Unavailable: an amount is not whole cents; we do not understand this ERP.
    """
    try:
        return Money.from_decimal(Decimal(str(debit or 0)) - Decimal(str(credit or 0)))
    except (InvalidOperation, MoneyRefused) as error:
        raise Unavailable("the ERP gave an amount that is not whole cents") from error
