"""The policies of trading partners for the offline commands, from the master data that the services have."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from canonical.master_data import load_master_data
from x12.policy import PolicyOf, UnusablePolicy, policies_of, strict

from throughline.outcome import Unusable

MasterDataOption = Annotated[
    Path | None,
    typer.Option(
        "--master-data",
        metavar="FILE",
        help="Master data whose trading partners' rules hold; without it the strict ones do.",
    ),
]


def policies_in(path: Path | None) -> PolicyOf:
    """The policies of the partners that hold today; strict ones where no file is given.

    Raises:
        Unusable: the file cannot be read, is no master data, or has a rule that cannot be.
    """
    if path is None:
        return strict
    try:
        return policies_of(load_master_data(path).trading_partners, datetime.now(UTC).date())
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}", "unreadable_file") from error
    except UnusablePolicy as error:
        raise Unusable(f"{path}: {error}", "unusable_policy") from error
    except ValueError as error:
        raise Unusable(f"{path} is no master data", "no_master_data") from error
