"""Keys are random, made once, wrapped at rest, and gone when erased; what is sealed opens only as what it was."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from canonical.classes import CanonicalModel, Phi
from canonical.ids import derive
from canonical.money import Money
from canonical.sealed import Sealed
from chassis.domain import Transient
from chassis.keys import (
    DEPLOYMENT_KEY,
    ErasedKey,
    FileMasterKey,
    KeyStore,
    MasterKeyRefused,
    MemoryKeyStore,
    SealBroken,
    Sealer,
    ToSeal,
    WrongMasterKey,
    entity_key_id,
)
from chassis.keys.cache import KeyCache
from chassis.keys.postgres import PostgresKeyStore, migrate_keys
from chassis.postgres import SchemaMissing
from hypothesis import given
from hypothesis import strategies as st
from sandbox.servers.postgres import PostgresServer

PATIENT, OTHER = derive("patient", 1), derive("patient", 2)
FACT = derive("encounter", 1)


class Person(CanonicalModel):
    """A person of these tests."""

    name: Phi[str]
    owes: Money


@dataclass(frozen=True)
class KeyDatabase:
    owner: str
    app: str
    erasure: str


@pytest.fixture(scope="module")
def key_database(postgres_server: PostgresServer) -> KeyDatabase:
    postgres_server.ensure_database(
        "keys", owner_role="keys_owner", owner_password="o", app_role="claims_app", app_password="a"
    )
    postgres_server.ensure_database(
        "keys", owner_role="keys_owner", owner_password="o", app_role="keys_erasure", app_password="e"
    )
    owner = postgres_server.dsn("keys", "keys_owner", "o")
    assert migrate_keys(owner, ["claims_app"], "keys_erasure") == [1]
    assert migrate_keys(owner, ["claims_app"], "keys_erasure") == []
    app = postgres_server.dsn("keys", "claims_app", "a")
    return KeyDatabase(owner, app, postgres_server.dsn("keys", "keys_erasure", "e"))


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> FileMasterKey:
    return FileMasterKey.create(tmp_path_factory.mktemp("master") / "master.key")


@pytest.fixture
def open_keys(key_database: KeyDatabase, master: FileMasterKey) -> Iterator[Callable[..., PostgresKeyStore]]:
    opened: list[PostgresKeyStore] = []

    def make(role: str = "app", **options: Any) -> PostgresKeyStore:
        opened.append(PostgresKeyStore(getattr(key_database, role), master, **options))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.servers)])
def keys(request: pytest.FixtureRequest) -> KeyStore:
    if request.param == "memory":
        return MemoryKeyStore()
    made: KeyStore = request.getfixturevalue("open_keys")()
    return made


@pytest.fixture
def erase(keys: KeyStore, request: pytest.FixtureRequest) -> Callable[[Any], None]:
    """Erases as the role that may."""
    if isinstance(keys, MemoryKeyStore):
        return keys.erase
    eraser = request.getfixturevalue("open_keys")("erasure")

    def erase_and_forget(key_id: Any) -> None:
        eraser.erase(key_id)
        keys._cache.forget(key_id)  # type: ignore[attr-defined]

    return erase_and_forget


def test_keys_are_made_once_and_differ(keys: KeyStore) -> None:
    ids = [uuid4() for _ in range(5)]
    made = keys.keys_for(ids)
    assert set(made) == set(ids)
    assert len(set(made.values())) == 5
    assert {len(key) for key in made.values()} == {32}
    assert keys.keys_for(ids[::-1]) == made
    assert keys.existing([ids[0], uuid4()]) == {ids[0]: made[ids[0]]}
    assert keys.keys_for([]) == {}


def test_an_alias_leads_to_one_key_id_for_ever(keys: KeyStore) -> None:
    one, two = str(uuid4()), str(uuid4())
    first = keys.key_ids_for_aliases([one])
    both = keys.key_ids_for_aliases([two, one])
    assert both[one] == first[one] != both[two]
    assert keys.key_ids_for_aliases([]) == {}


def test_a_linked_alias_leads_where_it_was_linked_first(keys: KeyStore) -> None:
    alias, patient, late = f"pcn:{uuid4()}", uuid4(), uuid4()
    assert keys.link_alias(alias, patient) == patient
    assert keys.key_ids_for_aliases([alias]) == {alias: patient}
    assert keys.link_alias(alias, late) == patient


def test_an_erased_key_is_gone_with_its_aliases_and_is_not_made_again(
    keys: KeyStore, erase: Callable[[Any], None]
) -> None:
    alias, patient, other = f"pcn:{uuid4()}", uuid4(), uuid4()
    keys.link_alias(alias, patient)
    keys.keys_for([patient, other])
    erase(patient)
    erase(patient)
    with pytest.raises(ErasedKey, match=str(patient)):
        keys.keys_for([other, patient])
    assert set(keys.existing([patient, other])) == {other}
    assert keys.key_ids_for_aliases([alias])[alias] != patient


def test_the_deployment_key_is_never_erased(keys: KeyStore) -> None:
    with pytest.raises(ValueError, match="never erased"):
        keys.erase(DEPLOYMENT_KEY)


@pytest.mark.servers
def test_services_that_make_the_same_keys_at_once_get_the_same(open_keys: Callable[..., PostgresKeyStore]) -> None:
    ids, aliases = [uuid4() for _ in range(40)], [str(uuid4()) for _ in range(40)]
    stores = [open_keys() for _ in range(4)]

    def race(place: int) -> tuple[object, object]:
        turned = -1 if place % 2 else 1
        return stores[place].keys_for(ids[::turned]), stores[place].key_ids_for_aliases(aliases[::turned])

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(race, range(4)))
    assert all(each == found[0] for each in found)


@pytest.mark.servers
def test_the_key_database_holds_neither_keys_nor_aliases_in_the_clear(
    open_keys: Callable[..., PostgresKeyStore], key_database: KeyDatabase
) -> None:
    store, patient = open_keys(), uuid4()
    store.link_alias("pcn:T0SECRET", patient)
    key = store.keys_for([patient])[patient]
    with psycopg.connect(key_database.app) as connection:
        rows = connection.execute("SELECT wrapped FROM patient_keys UNION ALL SELECT alias FROM key_aliases").fetchall()
    assert all(key not in value and b"SECRET" not in value for (value,) in rows)


@pytest.mark.servers
@pytest.mark.parametrize("role", ["app", "erasure"])
@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("DELETE FROM patient_keys WHERE false", {"erasure"}),
        ("DELETE FROM key_aliases WHERE false", {"erasure"}),
        ("UPDATE patient_keys SET wrapped = ''", set()),
        ("UPDATE key_aliases SET key_id = gen_random_uuid()", set()),
        ("INSERT INTO patient_keys (key_id, wrapped) SELECT gen_random_uuid(), ''", {"app"}),
        ("INSERT INTO erased_keys (key_id) SELECT gen_random_uuid()", {"erasure"}),
        ("DELETE FROM erased_keys", set()),
        ("TRUNCATE patient_keys", set()),
    ],
)
def test_services_add_and_erasure_alone_deletes(
    key_database: KeyDatabase, role: str, statement: str, allowed: set[str]
) -> None:
    with psycopg.connect(getattr(key_database, role)) as connection:
        if role in allowed:
            connection.execute(statement.encode())
            connection.rollback()
            return
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


@pytest.mark.servers
def test_another_services_cache_forgets_an_erased_key_after_five_minutes(
    open_keys: Callable[..., PostgresKeyStore],
) -> None:
    now = [0.0]
    store, patient = open_keys(monotonic=lambda: now[0]), uuid4()
    store.keys_for([patient])
    open_keys("erasure").erase(patient)
    now[0] = 301.0
    with pytest.raises(ErasedKey):
        store.keys_for([patient])


@pytest.mark.servers
def test_a_key_database_without_its_tables_is_refused(postgres_server: PostgresServer, master: FileMasterKey) -> None:
    with (
        PostgresKeyStore(postgres_server.admin_dsn(), master) as store,
        pytest.raises(SchemaMissing, match="key database: schema version 1 is needed, found 0"),
    ):
        store.refuse_missing_schema()


def test_a_key_database_that_is_away_is_a_technical_failure(
    master: FileMasterKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.keys.postgres.CONNECT_TIMEOUT_SECONDS", 0.1)
    with PostgresKeyStore("host=127.0.0.1 port=1 dbname=x user=x", master) as store, pytest.raises(Transient):
        store.keys_for([PATIENT])


def test_the_cache_is_bounded_and_drops_the_least_used() -> None:
    cache = KeyCache(2, 60.0, lambda: 0.0)
    one, two, three = uuid4(), uuid4(), uuid4()
    cache.keep({one: b"1", two: b"2"})
    cache.find([one])
    cache.keep({three: b"3"})
    assert cache.find([one, two, three]) == {one: b"1", three: b"3"}


def test_a_master_key_unwraps_what_it_wrapped(master: FileMasterKey) -> None:
    wrapped = master.wrap(b"k" * 32)
    assert master.unwrap(wrapped) == b"k" * 32
    assert master.wrap(b"k" * 32) != wrapped


def test_another_master_key_or_a_changed_wrapping_is_refused(master: FileMasterKey, tmp_path: Path) -> None:
    other = FileMasterKey.create(tmp_path / "other.key")
    with pytest.raises(WrongMasterKey, match=other.key_id.hex()):
        master.unwrap(other.wrap(b"k" * 32))
    wrapped = bytearray(master.wrap(b"k" * 32))
    wrapped[-1] ^= 1
    with pytest.raises(WrongMasterKey, match="does not authenticate"):
        master.unwrap(bytes(wrapped))


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [(b"x" * 32, 0o640, "mode 640"), (b"x" * 31, 0o600, "31 bytes"), (None, 0, "No such file")],
)
def test_a_master_key_file_that_is_open_or_short_or_missing_is_refused(
    tmp_path: Path, content: bytes | None, mode: int, why: str
) -> None:
    path = tmp_path / "master.key"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(MasterKeyRefused, match=why):
        FileMasterKey(path)


def test_a_master_key_is_never_overwritten(tmp_path: Path) -> None:
    FileMasterKey.create(tmp_path / "master.key")
    with pytest.raises(FileExistsError):
        FileMasterKey.create(tmp_path / "master.key")


def test_what_was_sealed_opens_as_it_was() -> None:
    sealer = Sealer(MemoryKeyStore())
    person = Person(name="Zoë Example", owes=Money(1234))
    sealed = sealer.seal(person, PATIENT, "person.v1", FACT)
    assert "Zoë".encode() not in sealed.ciphertext
    assert Sealed.model_validate_json(sealed.model_dump_json()) == sealed
    assert sealer.open(sealed, Person) == person
    assert sealer.seal(person, PATIENT, "person.v1", FACT).ciphertext != sealed.ciphertext


@pytest.mark.parametrize(
    "moved",
    [{"kind": "person.v2"}, {"fact": derive("encounter", 2)}, {"key_id": OTHER}, {"ciphertext": b""}],
)
def test_a_seal_moved_to_another_kind_fact_or_key_is_broken(moved: dict[str, object]) -> None:
    sealer = Sealer(MemoryKeyStore())
    sealer.keys.keys_for([OTHER])
    sealed = sealer.seal(Person(name="A", owes=Money(1)), PATIENT, "person.v1", FACT)
    with pytest.raises(SealBroken):
        sealer.open(sealed.model_copy(update=moved), Person)


@given(st.binary(max_size=40), st.integers(0), st.integers(0, 7))
def test_a_seal_with_any_bit_changed_is_broken(content: bytes, place: int, bit: int) -> None:
    sealer = Sealer(MemoryKeyStore())
    ciphertext = bytearray(sealer.seal_bytes(content, PATIENT, "raw.v1", FACT))
    assert sealer.open_bytes(bytes(ciphertext), PATIENT, "raw.v1", FACT) == content
    ciphertext[place % len(ciphertext)] ^= 1 << bit
    with pytest.raises(SealBroken):
        sealer.open_bytes(bytes(ciphertext), PATIENT, "raw.v1", FACT)


def test_after_erasure_one_patient_stays_closed_and_the_other_opens() -> None:
    sealer = Sealer(MemoryKeyStore())
    mine, theirs = sealer.seal_bytes_many(
        [ToSeal(b"mine", PATIENT, "raw.v1", FACT), ToSeal(b"theirs", OTHER, "raw.v1", FACT)]
    )
    sealer.keys.erase(PATIENT)
    with pytest.raises(ErasedKey):
        sealer.open_bytes(mine, PATIENT, "raw.v1", FACT)
    with pytest.raises(ErasedKey):
        sealer.seal_bytes(b"more", PATIENT, "raw.v1", FACT)
    assert sealer.open_bytes(theirs, OTHER, "raw.v1", FACT) == b"theirs"


def test_a_seeded_simulation_seals_alike_each_time() -> None:
    def sealed(seed: int) -> bytes:
        random = Random(seed)
        return Sealer(MemoryKeyStore(random.randbytes), random.randbytes).seal_bytes(b"x", PATIENT, "raw.v1", FACT)

    assert sealed(1) == sealed(1) != sealed(2)


def test_opening_makes_no_key() -> None:
    keys = MemoryKeyStore()
    with pytest.raises(ErasedKey):
        Sealer(keys).open_bytes(b"x" * 40, PATIENT, "raw.v1", FACT)
    assert keys.existing([PATIENT]) == {}


def test_a_content_address_is_the_same_for_the_same_bytes_in_one_deployment_only() -> None:
    keys = MemoryKeyStore()
    address = Sealer(keys).content_address(b"message")
    assert Sealer(keys).content_address(b"message") == address
    assert Sealer(keys).content_address(b"messagf") != address
    assert Sealer(MemoryKeyStore()).content_address(b"message") != address


@pytest.mark.parametrize("content", [b"", b"message", bytes(range(256)) * 20])
def test_a_keyed_hash_is_the_hmac_of_the_standard(content: bytes) -> None:
    keys = MemoryKeyStore()
    key = hmac.digest(keys.keys_for([DEPLOYMENT_KEY])[DEPLOYMENT_KEY], b"a purpose", "sha256")
    sealer = Sealer(keys)
    expected = [hmac.digest(key, each, "sha256") for each in (content, b"another")]
    assert sealer.keyed_hashes("a purpose", [content, b"another"]) == expected


def test_an_entitys_key_is_its_own() -> None:
    assert entity_key_id("NORTH") == entity_key_id("NORTH") != entity_key_id("SOUTH")


def test_a_batch_asks_for_its_keys_once_and_seals_what_anybody_opens() -> None:
    class Counted(MemoryKeyStore):
        asked = 0

        def keys_for(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
            self.asked += 1
            return super().keys_for(key_ids)

    keys, patient, other, fact = Counted(), uuid4(), uuid4(), uuid4()
    sealer = Sealer(keys)
    of_batch = sealer.with_keys({patient})
    sealed = [of_batch.seal_bytes(content, patient, "note.v1", fact) for content in (b"one", b"two")]
    assert keys.asked == 1
    assert [sealer.open_bytes(each, patient, "note.v1", fact) for each in sealed] == [b"one", b"two"]
    of_batch.seal_bytes(b"three", other, "note.v1", fact)
    assert keys.asked == 2
    keys.erase(patient)
    with pytest.raises(ErasedKey):
        sealer.with_keys({patient, other})
