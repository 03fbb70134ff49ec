"""Steps of a story about money: drawn by the machine, or kept because they once found something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.journeys.money.crashes import Killed, moments_of
from tests.journeys.money.world import World

# A step is a word and what belongs to it; all of it is plain, so that a story can be kept as text.
Step = tuple[Any, ...]
Story = Sequence[Step]
# What goes wrong: a calm world has none of it, and must come to the same end.
TROUBLES = frozenset({"crash", "trouble", "hear"})
FATES = ("heard", "lost", "twice", "last first")
# Stripe's and the network's misbehaviour that may strike a call.
ANYWHERE = ("drop", "drop_before", "timeout", "rate_limit", "lock_timeout", "error_503")
STICKY = ("error_500", "error_500_after")


def take(world: World, step: Step, *, calm: bool) -> None:
    """Take one step; what people want is done again until it is done, if a kill interrupts it."""
    word, facts = step[0], step[1:]
    if word in TROUBLES:
        if not calm:
            _trouble(world, word, facts)
        return
    if word == "take_back":
        key, crash = facts
        world.take_back(key, None if calm else crash)
        return
    if word == "work":
        _work(world, *facts)
        return
    verbs: dict[str, Callable[..., None]] = {
        "top_up": world.top_up,
        "accept": world.accept,
        "clear": world.clear,
        "pay_out": world.pay_out,
        "jump": lambda hours: world.advance(hours * 3_600),
        "hold": lambda key, who, minor: world.hold(key, who, minor, lift=False),
        "lift_hold": lambda key, who, minor: world.hold(key, who, minor, lift=True),
        "restrict": lambda who: world.restrict(who, lift=False),
        "allow": lambda who: world.restrict(who, lift=True),
        "bank_returns": lambda known: world.bank_returns(known=known),
    }
    world.survive(lambda: verbs[word](*facts))


def _work(world: World, count: int) -> None:
    try:
        world.work(count)
    except Killed:
        # What the worker had in hand comes back when its lease has ended.
        return


def _trouble(world: World, word: str, facts: tuple[Any, ...]) -> None:
    if word == "crash":
        world.crashes.arm(facts[0])
    elif word == "trouble":
        kind, path, count = facts
        world.stripe.controls.fault(kind, method="POST", path=path, count=count, seconds=0)
    else:
        _hear(world, facts[0])


def _hear(world: World, fates: Sequence[str]) -> None:
    """Deliver what Stripe has to tell: each event as its fate says, the fates in a circle."""
    last = []
    for at, event in enumerate(world.events()):
        fate = fates[at % len(fates)]
        if fate == "last first":
            last.append(event)
        elif fate != "lost":
            for _ in range(2 if fate == "twice" else 1):
                world.survive(lambda event=event: world.hear(event))  # type: ignore[misc]
    for event in reversed(last):
        world.survive(lambda event=event: world.hear(event))  # type: ignore[misc]


def tell(world: World, story: Story, *, calm: bool = False) -> None:
    """A whole story, from a world that has just begun until it is at rest."""
    with moments_of(world.crashes):
        for step in story:
            take(world, step, calm=calm)
            if not calm:
                check_on_the_way(world)
        world.rest()


def check_on_the_way(world: World) -> None:
    """What must be true at every moment: no line has two transfers, and the book balances."""
    assert {} == {line: ids for line, ids in world.transfers().items() if len(ids) > 1}
    with world.crashes.spared():
        world.settle_constraints()
