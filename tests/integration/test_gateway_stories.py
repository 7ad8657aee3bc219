"""The gateway's stories through the real message path: webhooks over HTTP, payments, NATS, the ledger; one suite for all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
from canonical.money import Money
from sandbox.world.bank import Bank
from sandbox.world.file_drop import Exchange
from sandbox.world.gateway import WEBHOOK_SECRET

from tests.contracts.gateway_table import CHARGED, STORIES
from tests.contracts.gateway_till import ENTITY, Journals, in_any_order, in_words, sums_of
from tests.integration.gateway_stories import SECRET_BEFORE, Found, Row, Way, rows_of, signed
from tests.integration.story import CONNECTIONS, Story, ehr_of, settled, small_story
from tests.integration.suite import Bench, broken_promises

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@dataclass(frozen=True)
class Told:
    """Everything told, and at rest."""

    bench: Bench
    rows: Mapping[tuple[str, Way], Row]
    answers: Mapping[tuple[str, Way], list[int]]
    door: str


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Every patient is charged, every row is told beside the others, the bank reports the payouts, and all comes to rest."""
    bench = Bench(tmp_path_factory.mktemp("gateway-stories"))
    story = small_story(bench)
    try:
        bench.start_servers()
        bench.prepare()
        secrets = {"THROUGHLINE_GATEWAY_SECRETS": f"{WEBHOOK_SECRET},{SECRET_BEFORE}"}
        bench.start_services({"payments": secrets})
        story.cards.start()
        yield _tell(bench, story)
    finally:
        story.cards.stop()
        bench.stop()


def _tell(bench: Bench, story: Story) -> Told:
    today = story.today
    rows = rows_of(story.cards, today)
    story.send_all(ehr_of(bench), [row.visit for row in rows])
    settled(bench)
    door = f"http://{bench.address('payments', 'http')}/webhooks/stripe"
    with ThreadPoolExecutor(CONNECTIONS) as threads, httpx.Client(timeout=30, trust_env=False) as http:
        answers = list(threads.map(lambda row: row.post(door, http), rows))
    bank = Bank()
    for payout in (payout for row in rows for payout in row.till.paid_out):
        bank.deposit_payout(ENTITY, payout.id, Money(payout.amount), today)
    bank.drop_statement(Exchange(bench.exchange), today, datetime.now(UTC))
    settled(bench, quiet_seconds=6)
    by_name = {(row.name, row.way): row for row in rows}
    return Told(bench, by_name, dict(zip(by_name, answers, strict=True)), door)


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("name", STORIES)
def test_each_story_ends_with_its_balances_journals_and_cases(told: Told, name: str, way: Way) -> None:
    row, found, story = told.rows[name, way], Found(told.bench), STORIES[name]
    assert set(told.answers[name, way]) == {200}
    assert found.cents(row) == (story.balance, story.applied, story.unapplied)
    assert words(found.journals(row), way) == words(sums_of([CHARGED, *story.journals]), way)
    assert found.cases(row) == sorted(story.cases)
    assert found.payouts_at_the_bank(row) == sorted(payout.id for payout in row.till.paid_out)


def words(journals: Journals, way: Way) -> list[str]:
    return in_words(journals if way is Way.IN_ORDER else in_any_order(journals))


BODY = b'{"id": "evt_door", "object": "event", "type": "ping", "created": 1, "data": {"object": {"id": "x"}}}'
RIGHT = WEBHOOK_SECRET
DOOR: Mapping[str, tuple[bytes, Callable[[bytes], str], int]] = {
    "signed with the secret": (BODY, lambda body: signed(body, RIGHT), 200),
    "signed with the secret before it was rotated": (BODY, lambda body: signed(body, SECRET_BEFORE), 200),
    "with two signatures, of which one fits": (
        BODY,
        lambda body: f"{signed(body, 'whsec_other')},v1={signed(body, RIGHT).partition('v1=')[2]}",
        200,
    ),
    "almost too old": (BODY, lambda body: signed(body, RIGHT, -290), 200),
    "signed with another secret": (BODY, lambda body: signed(body, "whsec_other"), 401),
    "signed too long ago": (BODY, lambda body: signed(body, RIGHT, -310), 401),
    "signed in the future": (BODY, lambda body: signed(body, RIGHT, 310), 401),
    "changed after it was signed": (BODY, lambda body: signed(body + b" ", RIGHT), 401),
    "without a signature": (BODY, lambda body: "", 401),
    "without a timestamp": (BODY, lambda body: signed(body, RIGHT).partition(",")[2], 401),
    "no JSON": (b"paid", lambda body: signed(body, RIGHT), 400),
    "no event": (b'{"object": "charge", "id": "ch_1"}', lambda body: signed(body, RIGHT), 400),
    "too large": (b" " * 1_000_001, lambda body: signed(body, RIGHT), 413),
}


@pytest.mark.parametrize("name", DOOR)
def test_the_door_takes_what_is_signed_now_and_nothing_else(told: Told, name: str) -> None:
    body, signature, status = DOOR[name]
    answer = httpx.post(told.door, content=body, headers={"Stripe-Signature": signature(body)}, trust_env=False)
    assert answer.status_code == status


def test_an_event_that_comes_again_with_other_content_is_refused_and_shown_to_a_person(told: Told) -> None:
    row = told.rows["a card payment of what is owed", Way.IN_ORDER]
    event = json.loads(row.till.webhooks[0])
    event["data"]["object"]["amount_received"] = 1
    body = json.dumps(event).encode()
    answer = httpx.post(told.door, content=body, headers={"Stripe-Signature": signed(body, RIGHT)}, trust_env=False)
    assert answer.json() == {"answer": "refused"}
    settled(told.bench, quiet_seconds=2)
    query = "SELECT count(*) FROM exception_cases WHERE code IN ('OtherContent', 'PaymentChanged') AND state = 'open'"
    assert told.bench.count("payments", query) == 1
    assert Found(told.bench).cents(row) == (0, 100_00, 0)


def test_the_independent_checker_finds_the_books_of_all_stories_whole(told: Told) -> None:
    assert broken_promises(told.bench.folder) == {}
