"""Money under kills, lost and doubled webhooks, silence and clocks that jump: it always adds up.

A story is told twice: once with everything going wrong, once calmly. Both must come to the same
book, which must be what Stripe holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import fields
from pathlib import Path

import pytest
import stripe as sdk
from hypothesis import HealthCheck, Phase
from hypothesis import settings as how
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import Engine

from marketplace import settings as product
from marketplace import stripe_client
from marketplace.embedded import Stack
from marketplace.errors import Refused
from marketplace.settings import Settings
from tests.journeys.money.checks import audited_file, bean_check, check_at_rest, comparable
from tests.journeys.money.crashes import moments_of
from tests.journeys.money.mutations import MUTATIONS
from tests.journeys.money.stories import (
    ANYWHERE,
    FATES,
    STICKY,
    Step,
    Story,
    check_on_the_way,
    take,
    tell,
)
from tests.journeys.money.world import NEVER_PAID_OUT, World
from tests.make.billing import Stripe, stripe_sandbox

WHO = st.integers(0, 1)
# The lab begins with 4,000.00, and nobody's story may depend on when a later top-up lands.
EARNED_MAX = 3_000_00
# How a planted fault shows: a check fails, or the book itself refuses what was made of it.
NOTICED = (AssertionError, Refused)
# Stories that once found something, or that show best what the machine is for; told every time.
KEPT: dict[str, Story] = {
    "a worker dies between the call and its record, and the key is too old": (
        ("accept", "a", 0, 10_001),
        ("clear", "a", 0, 10_001),
        ("pay_out", "r"),
        ("trouble", "drop", "/v1/transfers", 3),
        ("work", 5),
        ("jump", 30),
        ("work", 5),
    ),
    "every webhook comes twice and in the wrong order": (
        ("top_up", "t", 5_000),
        ("accept", "a", 1, 7_777),
        ("clear", "a", 1, 7_777),
        ("pay_out", "r"),
        ("work", 9),
        ("hear", ("last first", "twice")),
        ("work", 30),
    ),
    "a person presses the button again because the process died": (
        ("crash", 3),
        ("accept", "a", 0, 10_000),
        ("crash", 2),
        ("clear", "a", 0, 10_000),
        ("crash", 5),
        ("pay_out", "r"),
        ("crash", 6),
        ("work", 4),
        ("trouble", "error_500_after", "/v1/transfers", 3),
        ("work", 4),
        ("restrict", 0),
        ("accept", "b", 0, 3_334),
        ("clear", "b", 0, 3_334),
        ("pay_out", "s"),
        ("work", 9),
        ("allow", 0),
        ("pay_out", "u"),
    ),
    "Stripe is silent, and later the bank sends back what it had paid": (
        ("accept", "a", 0, 9_999),
        ("clear", "a", 0, 9_999),
        ("accept", "b", 1, 5_000),
        ("clear", "b", 1, 5_000),
        ("pay_out", "r"),
        ("work", 9),
        ("jump", 80),
        ("hear", ("heard",)),
        ("work", 50),
        ("bank_returns", True),
        ("take_back", "back", 4),
        ("pay_out", "s"),
    ),
}


@pytest.fixture(scope="module")
def machine_stripe(stack: Stack) -> Iterator[Stripe]:
    with stripe_sandbox(stack) as served:
        yield served


@pytest.fixture
def stripe(
    machine_stripe: Stripe,
    database: Engine,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stripe]:
    """A sandbox of this module; lines are sent one after the other, so that a seed is a seed."""
    monkeypatch.setattr(sdk.RequestsClient, "INITIAL_DELAY", 0.0)
    facts = {field.name: getattr(settings, field.name) for field in fields(settings)}
    product.use(Settings(**facts | {"payout_senders": 1}))
    yield machine_stripe
    product.use(settings)
    machine_stripe.controls.clear_faults()
    stripe_client.use(settings)


@pytest.fixture
def world(database: Engine, stripe: Stripe) -> Iterator[World]:
    """A beginning, for as many stories as one likes."""
    with closing(World(database, stripe)) as begun:
        yield begun


def ends_as_it_should(world: World, story: Story) -> None:
    """Tell the story with its troubles and calmly; both ends must be sound and the same."""
    with world.story() as troubled:
        tell(troubled, story)
        check_at_rest(troubled)
        after_trouble = comparable(troubled)
    ends_alike(world, story, after_trouble)


def ends_alike(world: World, story: Story, after_trouble: dict[str, int]) -> None:
    """The story without its troubles comes to the same end."""
    with world.story() as calm:
        tell(calm, story, calm=True)
        check_at_rest(calm)
        assert comparable(calm) == after_trouble, story


def test_the_first_kept_story_ends_as_it_should(world: World) -> None:
    ends_as_it_should(world, next(iter(KEPT.values())))


@pytest.mark.slow
@pytest.mark.parametrize("name", list(KEPT)[1:])
def test_kept_stories_end_as_they_should(world: World, name: str) -> None:
    ends_as_it_should(world, KEPT[name])


class Machine(RuleBasedStateMachine):
    """Draws stories step by step, so that what failed is told as the story that it was."""

    world: World
    folder: Path | None = None

    @initialize()
    def begin(self) -> None:
        self.told: list[Step] = []
        self.sound = True
        self.available = [0, 0]
        self.earned = 0
        self.was_paid = False
        self.sent: list[int] = []
        self.uncleared: list[tuple[str, int, int]] = []
        self.holds: list[tuple[str, int, int]] = []
        self.shut: set[int] = set()
        self.count = 0
        self.here = ExitStack()
        self.here.enter_context(self.world.story())

    def step(self, *step: object) -> None:
        self.sound = False
        self.told.append(step)
        with moments_of(self.world.crashes):
            take(self.world, step, calm=False)
        check_on_the_way(self.world)
        self.sound = True

    def key(self) -> str:
        self.count += 1
        return f"k{self.count}"

    @rule(minor=st.integers(500, 20_000))
    def top_up(self, minor: int) -> None:
        self.step("top_up", self.key(), minor)

    @precondition(lambda self: self.earned < EARNED_MAX)
    @rule(who=WHO, minor=st.integers(100, 20_000), cleared=st.booleans())
    def earn(self, who: int, minor: int, cleared: bool) -> None:
        earned = (self.key(), who, minor)
        self.earned += minor
        self.step("accept", *earned)
        if cleared:
            self._clear(*earned)
        else:
            self.uncleared.append(earned)

    def _clear(self, key: str, who: int, minor: int) -> None:
        self.step("clear", key, who, minor)
        self.available[who] += minor

    @precondition(lambda self: self.uncleared)
    @rule()
    def clear(self) -> None:
        self._clear(*self.uncleared.pop(0))

    @rule(who=WHO, part=st.integers(1, 3))
    def hold(self, who: int, part: int) -> None:
        minor = self.available[who] // part
        if minor:
            self.available[who] -= minor
            self.holds.append((self.key(), who, minor))
            self.step("hold", *self.holds[-1])

    @precondition(lambda self: self.holds)
    @rule()
    def lift_hold(self) -> None:
        key, who, minor = self.holds.pop()
        self.step("lift_hold", key, who, minor)
        self.available[who] += minor

    @rule(
        kind=st.sampled_from([None, *ANYWHERE, *STICKY]),
        times=st.sampled_from([1, 3, 4]),
        crash=st.one_of(st.none(), st.integers(0, 30)),
        rows=st.integers(1, 6),
        who=WHO,
    )
    def pay_out(self, kind: str | None, times: int, crash: int | None, rows: int, who: int) -> None:
        """A run under fire, with somebody to pay: a fault of Stripe's, a kill, and some work."""
        if not self.available[who] and self.earned < EARNED_MAX:
            self.earn(who=who, minor=4_567, cleared=True)
        self.step("pay_out", self.key())
        for each in {0, 1} - self.shut:
            if self.available[each] >= 100:
                self.was_paid = self.was_paid or each == 0
                self.sent += [self.available[each]] if each == NEVER_PAID_OUT else []
                self.available[each] = 0
        if kind is not None:
            self.step("trouble", kind, "/v1/transfers", times)
        if crash is not None:
            self.step("crash", crash)
        self.step("work", rows)

    @rule(kind=st.sampled_from(ANYWHERE), path=st.sampled_from(["/v1/checkout", "/v1/transfers"]))
    def trouble(self, kind: str, path: str) -> None:
        self.step("trouble", kind, path, 2)

    @rule(after=st.integers(0, 40))
    def crash(self, after: int) -> None:
        self.step("crash", after)

    @rule(fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=4))
    def hear(self, fates: list[str]) -> None:
        self.step("hear", tuple(fates))

    @rule(rows=st.integers(1, 12))
    def work(self, rows: int) -> None:
        self.step("work", rows)

    @rule(hours=st.sampled_from([1, 5, 23, 25, 40, 100]))
    def jump(self, hours: int) -> None:
        self.step("jump", hours)

    @precondition(lambda self: self.sent)
    @rule(crash=st.one_of(st.none(), st.integers(0, 30)))
    def take_back(self, crash: int | None) -> None:
        self.step("take_back", self.key(), crash)
        self.sent.remove(max(self.sent))

    @precondition(lambda self: self.was_paid)
    @rule(known=st.booleans())
    def bank_returns(self, known: bool) -> None:
        self.step("bank_returns", known)

    @rule(who=WHO)
    def restrict_or_allow(self, who: int) -> None:
        self.step("allow" if who in self.shut else "restrict", who)
        self.shut ^= {who}

    def teardown(self) -> None:
        if not hasattr(self, "here"):
            return
        with self.here:
            if not self.sound:
                return
            with moments_of(self.world.crashes):
                self.world.rest()
            check_at_rest(self.world)
            if self.folder is not None:
                bean_check(audited_file(self.world), self.folder)
            after_trouble = comparable(self.world)
        ends_alike(self.world, self.told, after_trouble)


def tell_all(world: World) -> None:
    """Every story that was kept."""
    for story in KEPT.values():
        ends_as_it_should(world, story)


def run_machine(begun: World, *, examples: int, steps: int, audited_in: Path | None = None) -> None:
    """Draw so many stories of so many steps, the same ones each time.

    audited_in: a folder in which the book of each is written down and checked by `bean-check`.
    """

    class Ours(Machine):
        """The machine in this test's world."""

        world = begun
        folder = audited_in

    Ours.TestCase.settings = how(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    Ours.TestCase("runTest").debug()


def test_some_stories_end_as_they_should(world: World) -> None:
    run_machine(world, examples=1, steps=8)


@pytest.mark.slow
def test_an_outside_auditor_accepts_a_kept_story_and_notices_a_wrong_cent(
    world: World, tmp_path: Path
) -> None:
    with world.story() as told:
        tell(told, KEPT["Stripe is silent, and later the bank sends back what it had paid"])
        file = audited_file(told)

    bean_check(file, tmp_path)
    said = "balance Assets:Bank:Client-Funds:USD "
    with pytest.raises(AssertionError, match="Balance failed"):
        bean_check(file.replace(said, f"{said}1"), tmp_path)
    assert file.count(" balance ") >= 4


@pytest.mark.slow
def test_many_stories_end_as_they_should(world: World, tmp_path: Path) -> None:
    run_machine(world, examples=60, steps=25, audited_in=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTATIONS)
def test_the_machine_notices_each_planted_fault(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    MUTATIONS[name](monkeypatch)

    with pytest.raises(NOTICED):
        run_machine(world, examples=60, steps=12)


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTATIONS)
def test_the_kept_stories_notice_each_planted_fault(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    MUTATIONS[name](monkeypatch)

    with pytest.raises(NOTICED):
        tell_all(world)
