"""The scheduler: one thread, one generator of chance; each step lets one replica of a service, or the world, do one thing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from uuid import UUID

from chassis.domain import Transient, Unavailable
from chassis.keys import MemoryKeyStore, Sealer
from chassis.messaging.relay import RefillNeeded
from chassis.messaging.topology import CONSUMES
from chassis.testing.clock import FixedClock
from sandbox.world.known_world import sandbox_master_data

from tests.contracts.gateway_calls import gateway_over

from .bus import Bus
from .erp import FaultyErp, FaultyTransport
from .gateway import FaultyCalls
from .mischief import GROUPS, Crashed, Kind, Mischief
from .nodes import REPLICAS, Node, Process, Surroundings, builders
from .outside import Outside
from .person import Cashier, repeat_refused_orders, resume_stopped_journals
from .story import Story, scenario_of

STEPS_PER_ACT_MAX = 4_000
IDLE_STEPS = 50
ROUNDS_MAX = 150
QUIET_ROUNDS = 3
ROUND_SECONDS = 20
STEP_BACK_SECONDS = 240
QUIET_SECONDS = STEP_BACK_SECONDS
STEP_MILLISECONDS_MAX = 800
DAYS_AFTER = 3
TRACE_TAIL = 60


class Unsettled(AssertionError):
    """The suite never came to rest though nothing went wrong any more."""


@dataclass(frozen=True)
class Action:
    """What a replica of a service may do next; a number above zero says that it did something.

    Proofs go on for ever, so that publishing them is no sign of work that is left.
    """

    service: str
    name: str
    run: Callable[[int], int]

    @property
    def is_endless(self) -> bool:
        return (self.service, self.name) == ("reconciliation", "relay")


class Simulation:
    """The acts of one story, in the order that one seed gives them and with the faults that it draws."""

    def __init__(self, seed: int, story: int, rates: Mapping[Kind, float]) -> None:
        self.random = Random(seed)
        self.mischief = Mischief(self.random, rates)
        self.clock = FixedClock()
        self.trace: list[str] = []
        self.bus = Bus(self.random, self.mischief, CONSUMES)
        self.erp = FaultyErp(self.mischief)
        self.transport = FaultyTransport(self.mischief)
        self.outside = Outside(
            self.random, self.mischief, self.clock, self.transport, scenario_of(story).coverages_after
        )
        self.cashier = Cashier()
        self._was_set_back = False
        self._nested = False
        self._handling: tuple[str, str] | None = None
        self.nodes = self._nodes()
        self.story = Story(story, self.outside, self.nodes["payments"].kept, self.cashier)
        self._actions = tuple(self._all_actions())

    def _nodes(self) -> dict[str, Node]:
        surroundings = Surroundings(
            clock=self.clock,
            master_data=sandbox_master_data(),
            sealer=Sealer(_OrderedKeys(self.random.randbytes), self.random.randbytes),
            transport=self.transport,
            erp=self.erp,
            gateway=gateway_over(FaultyCalls(self.outside.gateway_api, self.mischief)),
            core_of=lambda service: self._process(service, 0).parts.core,
            mischief=self.mischief,
            pause=self._pause,
        )
        return {
            name: Node(shape, build, self.bus.streams[name], self.mischief, self._at_crash_point)
            for name, (shape, build) in builders(surroundings).items()
        }

    @property
    def entities(self) -> tuple[str, ...]:
        return tuple(entity.code for entity in sandbox_master_data().entities)

    def play(self) -> None:
        """All acts, each to its end, and the days after.

        Raises:
            Unsettled: see there. Whatever a service lets through that is neither technical nor a crash is a bug of it.
        """
        for title, begin in self.story.acts:
            self._note(f"== {title}")
            wiped = self.bus.wipe_sometimes()
            if wiped:
                self._note(f"the stream of {wiped} is wiped, and the service restarted to refill it")
                for replica in range(REPLICAS):
                    self.nodes[wiped].restart(replica)
            begin()
            self._bustle()
            self._come_to_rest()
        self.clock.advance(days=DAYS_AFTER)
        self._come_to_rest()
        with self.mischief.without(*GROUPS):
            while self._relay("reconciliation", 0):
                pass

    def _bustle(self) -> None:
        """Steps with all faults until nothing has happened for a while."""
        idle = 0
        for _ in range(STEPS_PER_ACT_MAX):
            action = self.random.choice(self._actions)
            replica = self.random.randrange(REPLICAS)
            did = self._try(action, replica)
            self._tick()
            idle = 0 if did and not action.is_endless else idle + 1
            if idle > IDLE_STEPS and self.bus.is_quiet() and self.outside.is_quiet:
                return

    def _tick(self) -> None:
        self.clock.advance(milliseconds=self.random.randint(0, STEP_MILLISECONDS_MAX))
        if not self._was_set_back and self.mischief.strikes(Kind.CLOCK_STEPPED_BACK):
            self._note("the clock is set back")
            self._was_set_back = True
            self.clock.advance(seconds=-STEP_BACK_SECONDS)

    def _come_to_rest(self) -> None:
        """Rounds of every action without faults, until a few rounds in a row find nothing to do."""
        quiet = 0
        with self.mischief.without(*GROUPS):
            for _ in range(ROUNDS_MAX):
                quiet = 0 if self._round() else quiet + 1
                if quiet == QUIET_ROUNDS:
                    return
                self.clock.advance(seconds=QUIET_SECONDS if quiet else ROUND_SECONDS)
        raise Unsettled(f"still busy after {ROUNDS_MAX} rounds without a fault")

    def _round(self) -> int:
        """Every action of every replica, relays last; how much was done."""
        did = 0
        for action in sorted(self._actions, key=lambda action: action.name == "relay"):
            for replica in range(REPLICAS):
                done = self._try(action, replica)
                did += 0 if action.is_endless else done
        return did

    def _try(self, action: Action, replica: int) -> int:
        """One action, which may fail technically or kill its process."""
        label = f"{action.service}/{replica} {action.name}"
        try:
            did = action.run(replica)
        except (Transient, Unavailable) as failure:
            self._note(f"{label}: {type(failure).__name__}: {failure}")
            self._take_back(action.service)
            return 1
        except Crashed as crash:
            self._note(f"{label}: died {crash}")
            self.nodes[action.service].restart(replica)
            self._take_back(action.service)
            return 1
        if did:
            self._note(f"{label}: {did}")
        return did

    def _take_back(self, service: str) -> None:
        for name, upstream in self.bus.durables:
            if name == service:
                self.bus.redeliver(service, upstream)

    def _at_crash_point(self, service: str, replica: int, step: str) -> None:
        """The process may die here, or the other replica may do something meanwhile."""
        if self._nested:
            return
        self.mischief.crash(step)
        if (
            self._handling
            and self._handling[0] == service
            and self.mischief.strikes(Kind.RACE_REDELIVERED_WHILE_RUNNING)
        ):
            upstream = self._handling[1]
            self.bus.redeliver(service, upstream)
            self._meanwhile(
                Action(service, f"handle {upstream}", partial(self._handle, service, upstream)), 1 - replica
            )
        if self.mischief.strikes(Kind.RACE_TWO_REPLICAS):
            others = [action for action in self._actions if action.service == service and self._may_race(action)]
            self._meanwhile(self.random.choice(others), 1 - replica)

    def _pause(self) -> None:
        """Somebody waits: something happens meanwhile, unless the suite is coming to rest."""
        self.clock.advance(seconds=1)
        if not self._nested and self.mischief.strikes(Kind.RACE_TWO_REPLICAS):
            others = [
                action for action in self._actions if action.service != "reconciliation" and self._may_race(action)
            ]
            self._meanwhile(self.random.choice(others), 0)

    def _may_race(self, action: Action) -> bool:
        return not action.name.startswith("door")

    def _meanwhile(self, action: Action, replica: int) -> None:
        self._nested = True
        self._note(f"  meanwhile {action.service}/{replica} {action.name}")
        handling, self._handling = self._handling, None
        try:
            with self.mischief.without("crash", "race"):
                self._try(action, replica)
        finally:
            self._nested, self._handling = False, handling

    def _all_actions(self) -> Iterator[Action]:
        for name, node in self.nodes.items():
            yield Action(name, "relay", partial(self._relay, name))
            for upstream in node.replicas[0].parts.core.consumers:
                yield Action(name, f"handle {upstream}", partial(self._handle, name, upstream))
            for place, sweep in enumerate(node.replicas[0].parts.core.sweeps):
                yield Action(name, sweep.name, partial(self._sweep, name, place))
            if node.replicas[0].parts.core.consumers:
                yield Action(name, "release", partial(self._release, name))
        yield from self._world()

    def _world(self) -> Iterator[Action]:
        outside = self.outside
        doors: list[tuple[str, str, Callable[[Process], int]]] = [
            ("intake", "door: messages", lambda process: outside.send_messages(process.intake_messages)),
            ("intake", "door: payer file", lambda process: outside.send_payer_file(process.intake_files)),
            ("payments", "door: bank file", lambda process: outside.send_bank_file(process.payments_doors)),
            ("payments", "door: webhooks", lambda process: outside.send_webhooks(process.payments_doors)),
        ]
        for service, name, visit in doors:
            yield Action(service, name, partial(self._visit, service, visit))
        yield Action("claims", "door: clearinghouse", lambda replica: outside.carry_claims())
        ledger, payments = self.nodes["ledger"].store, self.nodes["payments"].store
        yield Action("ledger", "door: accountant", lambda replica: resume_stopped_journals(ledger, self.clock))
        yield Action("payments", "door: cashier", lambda replica: self.cashier.work(payments, self.clock))
        yield Action("payments", "door: manager", lambda replica: repeat_refused_orders(payments, self.clock))

    def _process(self, service: str, replica: int) -> Process:
        return self.nodes[service].replicas[replica]

    def _visit(self, service: str, visit: Callable[[Process], int], replica: int) -> int:
        return visit(self._process(service, replica))

    def _relay(self, service: str, replica: int) -> int:
        relay = self._process(service, replica).relay
        try:
            return relay.step()
        except RefillNeeded:
            relay.refill()
            return 1

    def _release(self, service: str, replica: int) -> int:
        return self._process(service, replica).release.run()

    def _sweep(self, service: str, place: int, replica: int) -> int:
        return self._process(service, replica).parts.core.sweeps[place].run()

    def _handle(self, service: str, upstream: str, replica: int) -> int:
        process = self._process(service, replica)
        deliveries = self.bus.deliver(service, upstream)
        if not deliveries:
            return 0
        self._handling = None if self._nested else (service, upstream)
        try:
            self._at_crash_point(service, replica, "after-receive")
            handled = process.parts.core.consumers[upstream].handle(deliveries)
            process.release.note(handled)
            self._at_crash_point(service, replica, "before-ack")
            self.bus.acknowledge(service, upstream, deliveries)
        finally:
            self._handling = None
        return len(deliveries)

    def _note(self, line: str) -> None:
        self.trace.append(f"{len(self.trace) + 1:05d} {line}")

    def trace_hash(self) -> str:
        """SHA-256 over every step and every stored event: two runs with the same one did the very same."""
        digest = hashlib.sha256("\n".join(self.trace).encode())
        for node in self.nodes.values():
            for entry in node.kept.log(0, node.kept.last_position()):
                digest.update(entry.event.model_dump_json().encode())
        return digest.hexdigest()


class _OrderedKeys(MemoryKeyStore):
    """Draws fresh ids in the order of their aliases: a set of texts has another order in every process."""

    def key_ids_for_aliases(self, aliases: Iterable[str]) -> dict[str, UUID]:
        return super().key_ids_for_aliases(sorted(aliases))
