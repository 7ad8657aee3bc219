"""Files through folders: whole or absent, never replaced; and the clearinghouse between biller and payers."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path

import pytest
from canonical.money import Money
from sandbox.world.clearinghouse import Clearinghouse
from sandbox.world.file_drop import drop, move_into, waiting_files
from sandbox.world.misbehaviour import UNTIL_LIFTED, Fault, Misbehaviour, Outbox
from sandbox.world.oracle import claim_of
from sandbox.world.payer import PAYER_SEED, Payers
from sandbox.world.scenario import Scenario

from .claim_files import NOW, claim_file

TODAY = date(2026, 11, 20)
CLAIM = claim_of(Scenario.small(TODAY).billable[-1])


def house(exchange: Path, faults: Misbehaviour | None = None) -> Clearinghouse:
    return Clearinghouse(exchange, Payers(PAYER_SEED, misbehaviour=faults), lambda: NOW)


def send(clearinghouse: Clearinghouse, control_number: int = 1) -> None:
    folder = clearinghouse.exchange.folder("claims-outbound")
    drop(folder, f"{control_number:09d}.x12", claim_file([CLAIM], control_number))


def inbound(clearinghouse: Clearinghouse) -> list[str]:
    return [path.suffix for path in waiting_files(clearinghouse.exchange.folder("intake-inbound"))]


def test_a_dropped_file_is_whole_and_leaves_nothing_else(tmp_path: Path) -> None:
    assert drop(tmp_path, "a.x12", b"content").read_bytes() == b"content"
    assert [path.name for path in tmp_path.iterdir()] == ["a.x12"]


def test_a_taken_name_is_never_replaced(tmp_path: Path) -> None:
    names = [drop(tmp_path, "a.x12", content).name for content in (b"1", b"2", b"3")]
    assert names == ["a.x12", "a-2.x12", "a-3.x12"]
    assert (tmp_path / "a.x12").read_bytes() == b"1"


def test_hidden_files_are_not_yet_there(tmp_path: Path) -> None:
    (tmp_path / ".a.x12.part").write_bytes(b"half")
    assert waiting_files(tmp_path) == []


def test_moving_keeps_both_files_of_one_name(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    for content in (b"1", b"2"):
        move_into(drop(tmp_path, "a.x12", content), taken)
    assert {path.name: path.read_bytes() for path in taken.iterdir()} == {"a.x12": b"1", "a-2.x12": b"2"}
    assert waiting_files(tmp_path) == []


def test_a_step_takes_the_claims_keeps_them_and_drops_the_answers(tmp_path: Path) -> None:
    clearinghouse = house(tmp_path)
    send(clearinghouse)
    assert clearinghouse.step() == 4
    assert waiting_files(tmp_path / "claims-outbound") == []
    assert [path.name for path in waiting_files(tmp_path / "claims-taken")] == ["000000001.x12"]
    assert inbound(clearinghouse) == [".ta1", ".999", ".277ca"]
    assert clearinghouse.step() == 0


def test_remittances_leave_with_the_step_after_the_settlement(tmp_path: Path) -> None:
    clearinghouse = house(tmp_path)
    send(clearinghouse)
    clearinghouse.step()
    remittances = clearinghouse.settle(TODAY)
    assert ".835" not in inbound(clearinghouse)
    clearinghouse.step()
    assert inbound(clearinghouse).count(".835") == len(remittances) == 1
    assert clearinghouse.settle(TODAY) == []


def test_a_duplicate_remittance_is_the_same_bytes_under_another_name(tmp_path: Path) -> None:
    faults = Misbehaviour()
    faults.request(Fault.DUPLICATE, target="835")
    faults.request(Fault.DUPLICATE_OTHER_LAYOUT, target="ACME")
    clearinghouse = house(tmp_path, faults)
    send(clearinghouse)
    clearinghouse.step()
    clearinghouse.settle(TODAY)
    clearinghouse.step()
    contents = [path.read_bytes() for path in tmp_path.glob("intake-inbound/*.835")]
    assert len(contents) == 3
    assert len(set(contents)) == 2
    assert len({content.replace(b"\r\n", b"") for content in contents}) == 1


def test_a_corrupted_remittance_can_be_sent_again_as_it_should_have_been(tmp_path: Path) -> None:
    faults = Misbehaviour()
    faults.request(Fault.CORRUPT_ONE_CENT, target="ACME")
    clearinghouse = house(tmp_path, faults)
    send(clearinghouse)
    clearinghouse.step()
    remittance = clearinghouse.settle(TODAY)[0]
    clearinghouse.send_again(remittance)
    clearinghouse.step()
    contents = {path.read_bytes() for path in tmp_path.glob("intake-inbound/*.835")}
    assert contents == {remittance.content, remittance.faithful_content}
    assert len(contents) == 2


def test_a_clearinghouse_that_is_down_takes_nothing_until_it_is_up(tmp_path: Path) -> None:
    faults = Misbehaviour()
    faults.request(Fault.DOWN, target="clearinghouse", times=UNTIL_LIFTED)
    clearinghouse = house(tmp_path, faults)
    send(clearinghouse)
    assert clearinghouse.step() == 0
    faults.lift(Fault.DOWN)
    assert clearinghouse.step() == 4


def test_a_delayed_answer_comes_that_many_steps_later(tmp_path: Path) -> None:
    faults = Misbehaviour()
    faults.request(Fault.DELAY, target="999", measure=2)
    clearinghouse = house(tmp_path, faults)
    send(clearinghouse)
    assert [clearinghouse.step() for _ in range(4)] == [3, 0, 1, 0]


def test_run_steps_until_it_is_told_to_stop(tmp_path: Path) -> None:
    clearinghouse = house(tmp_path)
    send(clearinghouse)
    stop = threading.Event()
    thread = threading.Thread(target=clearinghouse.run, args=(stop, 0.01))
    thread.start()
    for _ in range(500):
        if clearinghouse.sent_count == 3:
            break
        stop.wait(0.01)
    stop.set()
    thread.join(timeout=5)
    assert (clearinghouse.taken_count, clearinghouse.sent_count) == (1, 3)


def test_a_fault_with_a_target_strikes_only_there_and_is_recorded() -> None:
    faults = Misbehaviour()
    faults.request(Fault.DELAY, target="a", times=2, measure=5)
    assert faults.strike(Fault.DELAY, "b") is None
    strikes = [faults.strike(Fault.DELAY, "a") for _ in range(3)]
    assert [strike.measure if strike else None for strike in strikes] == [5, 5, None]
    assert [(strike.fault, strike.target) for strike in faults.struck] == [(Fault.DELAY, "a")] * 2


def test_a_fault_needs_at_least_one_strike() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Misbehaviour().request(Fault.DOWN, times=0)


def test_an_outbox_loses_nothing_whatever_it_is_asked_for() -> None:
    faults = Misbehaviour()
    for fault in (Fault.DELAY, Fault.DUPLICATE, Fault.REORDER, Fault.DOWN):
        faults.request(fault, times=2, measure=3)
    outbox: Outbox[int] = Outbox(faults)
    outbox.put_all((number, "n") for number in range(10))
    left = [item for _ in range(10) for item in outbox.due()]
    assert set(left) == set(range(10))
    assert len(left) == 12
    assert left != sorted(left)


def test_the_settled_amount_is_what_the_decisions_say(tmp_path: Path) -> None:
    clearinghouse = house(tmp_path)
    send(clearinghouse)
    clearinghouse.step()
    remittance = clearinghouse.settle(TODAY)[0]
    assert remittance.amount == Money.total(each.paid for each in clearinghouse.payers.decisions.values())
