"""What leaves is validated in other processes, with the same findings; a worker that is gone is no verdict."""

from __future__ import annotations

import pytest
from chassis.domain import Transient
from claims.adapters.validating import validator
from x12.validation import validate

from .test_other_claims import facility, written


def test_worker_processes_find_what_is_found_here() -> None:
    sound = written(facility())
    broken = sound.replace(b"CL1*1*1*01", b"CL1*1*1*")
    with validator(1) as elsewhere, validator(0) as here:
        assert here is validate
        assert elsewhere(sound) == here(sound) == []
        assert elsewhere(broken) == here(broken) != []


def test_a_validator_that_is_gone_is_a_technical_failure() -> None:
    with validator(1) as elsewhere:
        pass
    with pytest.raises(Transient, match="closed"):
        elsewhere(b"ISA")
