"""The machine: actions drawn at random, in any order, each with what may go wrong meanwhile; after each, and at the end, the world has to be in order.

One rule, not one for each action: hypothesis leaves whole rules out of a run, and a run without connections or without time shows nothing.
"""

import sys
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.machine.actions import Action, Ask, ChangeSecret, Connect, Deliver, Disconnect, Meanwhile, Other, Restart, Revoke, Sweep, Topic, Wait
from tests.machine.ending import settle
from tests.machine.troubles import AT_PROVIDER, BREAKS, CALM, TABLE_AND_QUEUES, Trouble
from tests.machine.world import PEOPLE, Setting, World

MINUTE, HOUR, DAY = 60, 3600, 86400
TIMES = (2 * MINUTE, 30, 6 * MINUTE, 56 * MINUTE, 2 * HOUR, DAY, 4 * DAY)

breaks = st.sampled_from([*((name,) for name in sorted(BREAKS)), TABLE_AND_QUEUES, TABLE_AND_QUEUES])
answers = st.lists(st.sampled_from(sorted(AT_PROVIDER)), min_size=1, max_size=2).map(tuple)
calm, broken = st.just(CALM), st.builds(Trouble, breaks=breaks)


def one_of(*kinds: Any) -> Any:
    """Like hypothesis's own, but one that is named twice is drawn twice as often."""
    return st.sampled_from(kinds).flatmap(lambda kind: kind)


aws_troubles = one_of(calm, calm, broken)
troubles = one_of(calm, calm, calm, broken, broken, st.builds(Trouble, provider=answers), st.builds(Trouble, provider=answers, breaks=breaks))
revocation_troubles = one_of(calm, calm, broken, st.builds(Trouble, revocation=answers))
fates = st.lists(st.sampled_from(["once", "once", "twice", "lost"]), min_size=1, max_size=3).map(tuple)
sweep = st.builds(Sweep, aws_troubles)
work = st.builds(Deliver, st.just("refresh"), troubles, fates)
rotate = st.builds(ChangeSecret, st.sampled_from(["right", "overlapping"]))
people = st.integers(0, PEOPLE - 1)


def asks(person: st.SearchStrategy[int], *hows: str) -> st.SearchStrategy[Ask]:
    return st.builds(Ask, person, st.sampled_from(hows), troubles)


def connects(person: st.SearchStrategy[int]) -> st.SearchStrategy[Action]:
    return st.builds(Connect, person, troubles)


def disconnects(person: st.SearchStrategy[int]) -> st.SearchStrategy[Action]:
    return st.builds(Disconnect, person, revocation_troubles)


def meanwhile(person: int) -> st.SearchStrategy[Action]:
    """Two at once, most often about the same person. The second takes no time."""
    same, who = st.just(person), st.sampled_from([person, person, person, (person + 1) % PEOPLE])
    ask, connect, disconnect = asks(who, "refresh", "reject", "fetch"), connects(who), disconnects(who)
    then = one_of(ask, ask, ask, connect, connect, disconnect, disconnect, st.builds(Revoke, who), sweep, work, rotate)
    return st.builds(Meanwhile, asks(same, "refresh", "reject", "fetch old"), then, st.booleans(), st.integers(0, 20))


ask = asks(people, "refresh", "reject", "fetch old", "fetch")
two = people.flatmap(meanwhile)
wait = st.builds(Wait, st.sampled_from(TIMES))
drain = st.builds(Deliver, st.sampled_from(["rescue", "revoke"]), revocation_troubles)
# What matters most is named most; what spoils a run for the rest of it, least.
actions = one_of(
    ask, ask, ask, ask, ask, two, two, two, two, two, two, st.builds(Other, ask), st.builds(Other, ask), wait, wait, wait, connects(people), connects(people),
    sweep, sweep, work, work, drain, disconnects(people), st.builds(Revoke, people), rotate, rotate, st.builds(ChangeSecret, st.just("wrong")),
    st.just(Restart()), st.builds(Topic, st.booleans()),
)  # fmt: skip


class Machine(RuleBasedStateMachine):
    setting: ClassVar[Setting]

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.setting)

    @initialize()
    def begin(self) -> None:
        Connect(0).do(self.world)
        Connect(1).do(self.world)

    @rule(action=actions)
    def step(self, action: Action) -> None:
        if not self.world.is_anybody_connected():
            Connect(0).do(self.world)
        action.do(self.world)

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                settle(self.world)
        finally:
            self.world.close()
