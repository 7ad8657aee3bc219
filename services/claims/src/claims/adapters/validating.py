"""Where what leaves is validated: in worker processes, so that a service answers and adjudicates meanwhile, or here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chassis.domain import Transient
from x12.validation import validate
from x12.validation_pool import ValidationPool, ValidatorUnavailable
from x12.violations import ValidationError

Validate = Callable[[bytes], list[ValidationError]]


@contextmanager
def validator(workers: int) -> Iterator[Validate]:
    """Validates in so many processes, which start when first needed and end with the context; in this one for none.

    A worker that dies or is too slow is a technical failure: the file is validated again before anything leaves.
    """
    if not workers:
        yield validate
        return
    with ValidationPool(workers) as pool:

        def ask(raw: bytes) -> list[ValidationError]:
            try:
                return pool.validate(raw)
            except ValidatorUnavailable as unavailable:
                raise Transient(str(unavailable)) from unavailable

        yield ask
