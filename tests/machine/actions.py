"""What may be done to a vault: small frozen values that do themselves, so that a failing run reads as a script.

Rule: an action does; whether what came of it is right is for the world to say.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol

from chalicelib.doors import keys
from chalicelib.engine.messages import RefreshMessage
from tests.engine.scenes import API_SECONDS, REGISTRATION_ID, SLUG
from tests.machine.bodies import Mortal
from tests.machine.troubles import CALM, Trouble
from tests.machine.world import WORKER_SECONDS, World

Doing = Callable[[Mortal], Any]
How = Literal["refresh", "reject", "fetch old", "fetch"]
OLD = 2 * 3600  # seconds: the peers' tokens live one hour
WRONG = ("wrong secret one, long enough", "wrong secret two, long enough")


class Action(Protocol):
    def do(self, world: World, process: int = 0) -> None:
        """In a process, where it is not told to be in the other one."""


@dataclass(frozen=True)
class Ask:
    """Somebody's token is refreshed by an operator's message, reported as rejected, fetched when it is old, or just fetched."""

    person: int
    how: How
    trouble: Trouble = CALM

    def do(self, world: World, process: int = 0) -> None:
        self.get_old(world)
        world.act(process, self.doing(world), self.trouble)

    def get_old(self, world: World) -> None:
        if self.how == "fetch old":
            Wait(OLD).do(world)

    def doing(self, world: World) -> Doing:
        owner = world.somebody(self.person)
        row = world.edges.row(owner)
        generation = row.generation if row else 1
        if self.how.startswith("fetch"):
            return lambda at: at.fetch(owner)
        if self.how == "reject":
            return lambda at: at.rejected(owner, generation)
        body = RefreshMessage(SLUG, (keys.connection(owner, SLUG),), generation).body()
        return lambda at: at.worker.handle(body, lambda: WORKER_SECONDS)


@dataclass(frozen=True)
class Sweep:
    trouble: Trouble = CALM

    def do(self, world: World, process: int = 0) -> None:
        world.act(process, lambda at: at.sweep.run(lambda: 50.0), self.trouble)


@dataclass(frozen=True)
class Deliver:
    """What waits in a queue is handled, each message once, twice, or, if it is lost, never."""

    queue: str
    trouble: Trouble = CALM
    fates: tuple[str, ...] = ("once",)

    def do(self, world: World, process: int = 0) -> None:
        world.deliver(process, self.queue, self.trouble, self.fates)


@dataclass(frozen=True)
class Connect:
    person: int
    trouble: Trouble = CALM

    def do(self, world: World, process: int = 0) -> None:
        owner = world.people[self.person]

        def connect(at: Mortal) -> Any:
            back = world.scene.leave(owner, at)
            world.witness.left_with(back.query["code"][0], owner)
            world.witness.secrets |= {back.begun.state, back.browser}
            world.flows[back.begun.state.split(".")[0]] = False
            return at.connect.callback(REGISTRATION_ID, back.query, back.cookie)

        world.act(process, connect, self.trouble)


@dataclass(frozen=True)
class Disconnect:
    person: int
    trouble: Trouble = CALM

    def do(self, world: World, process: int = 0) -> None:
        owner = world.somebody(self.person)
        world.witness.give_up(owner)
        world.act(process, lambda at: at.disconnect.disconnect(owner, SLUG, seconds_left=lambda: API_SECONDS), self.trouble)


@dataclass(frozen=True)
class Revoke:
    """The person takes the access away at the provider."""

    person: int

    def do(self, world: World, process: int = 0) -> None:
        owner = world.somebody(self.person)
        world.witness.end_there(owner)
        world.setting.peer.revoke_user(owner.user_id or "")


@dataclass(frozen=True)
class Wait:
    seconds: int

    def do(self, world: World, process: int = 0) -> None:
        world.keep_up(timedelta(seconds=self.seconds))
        world.advance(timedelta(seconds=self.seconds))


@dataclass(frozen=True)
class ChangeSecret:
    """The client secret is changed to the right one, to the right one and a wrong one before it, or to wrong ones."""

    to: Literal["right", "overlapping", "wrong"]

    def do(self, world: World, process: int = 0) -> None:
        right = world.setting.peer.client_secret
        world.change_secret(*{"right": (right,), "overlapping": (right, WRONG[0]), "wrong": WRONG}[self.to])


@dataclass(frozen=True)
class Restart:
    def do(self, world: World, process: int = 0) -> None:
        world.restart(process)


@dataclass(frozen=True)
class Topic:
    is_down: bool

    def do(self, world: World, process: int = 0) -> None:
        world.topic(is_down=self.is_down)


@dataclass(frozen=True)
class Other:
    """In the other process."""

    action: Action

    def do(self, world: World, process: int = 0) -> None:
        self.action.do(world, 1 - process)


@dataclass(frozen=True)
class Meanwhile:
    """While one process waits for the provider's answer (`heard`), or before the provider hears of it, the other does something."""

    ask: Ask
    then: Action
    heard: bool = True
    seconds: int = 0

    def do(self, world: World, process: int = 0) -> None:
        self.ask.get_old(world)
        passing = timedelta(seconds=self.seconds)
        world.keep_up(passing)

        def happen() -> None:
            world.advance(passing)
            self.then.do(world, 1)

        world.meanwhile(0, world.somebody(self.ask.person), self.ask.doing(world), self.ask.trouble, happen, heard=self.heard)
