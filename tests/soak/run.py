"""One soak: connections at a strict provider and at one with a grace period, and at the end every promise looked at."""

import json
import os
import random
import secrets
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests

from chalicelib.domain.errors import StandpipeError
from chalicelib.domain.models import Owner
from chalicelib.engine.tokens import Live
from tests.cloud import Cloud
from tests.engine.scenes import ASCII_SECRET, CALLBACK, CLIENT_ID, SLUG, Process, Scene, new_owner, staged
from tests.peers import FaultProxy, start_django
from tests.soak.fleet import Fleet
from tests.soak.ledger import Ledger, Weather

LIFE = 180  # seconds of an access token: refreshed after half of it, which makes a dozen refreshes a second of a thousand connections
GRACE = 600
WORKERS = 2  # for each stage; beside them one that sweeps
KILL_EVERY, LEAVE_EVERY, SAY_EVERY = 8.0, 6.0, 30.0
SETTLE = 80.0  # a lease and some sweeps
BAD = ("lost_outcome_unknown", "persist_failure", "lease_timeout")


@dataclass(frozen=True)
class Plan:
    seconds: float
    connections: int
    faults: float
    seed: int | None = None


@dataclass
class Side:
    """One provider with its stage and its people."""

    name: str
    scene: Scene
    ledger: Ledger
    heard_url: str
    people: list[Owner] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)


def soak(plan: Plan, folder: Path) -> int:
    """0 if every promise held."""
    seed = secrets.randbits(32) if plan.seed is None else plan.seed
    chance, began = random.Random(seed), time.monotonic()
    broken: list[str] = []
    _print(f"seed {seed}; {plan.connections} connections, {plan.seconds / 60:g} minutes, {plan.faults:.1%} faults", flush=True)
    with ExitStack() as stack:
        cloud = Cloud(folder)
        stack.callback(cloud.stop)
        os.environ.pop("AWS_PROFILE", None)
        os.environ.update(cloud.environ)
        weather = Weather(random.Random(chance.random()))
        way = stack.enter_context(FaultProxy(cloud.endpoint, weather))
        sides = [stack.enter_context(_side(name, cloud, chance, **options)) for name, options in (("strict", {}), ("grace", {"grace_seconds": GRACE}))]
        for side in sides:
            side.ledger.heard_of = weather.an_answer_was_given
            _connect(side, plan.connections // len(sides))
        _say(began, f"{sum(len(side.people) for side in sides)} connected")
        fleet = Fleet(folder, way.base_url)
        stack.callback(fleet.stop)
        for side in sides:
            for role in (*["work"] * WORKERS, "sweep"):
                fleet.start(side.scene.stage, role)
        weather.rate = plan.faults
        for side in sides:
            side.ledger.rate = plan.faults
        fetched = _storm(plan, sides, fleet, way.base_url, chance, began, broken)
        for side in sides:
            side.ledger.rate = 0.0
        weather.rate = 0.0
        _say(began, "no more faults: settling")
        time.sleep(SETTLE)
        broken += [f"a process ended by itself ({code})" for code in fleet.dead()]
        fleet.stop()
        _report(sides, fleet, weather, fetched, broken)
    for violation in broken[:20]:
        _print(f"BROKEN  {violation}")
    _print(f"\n{'every promise held' if not broken else f'{len(broken)} promises broken'}; seed {seed}, {time.monotonic() - began:.0f} s", flush=True)
    return 1 if broken else 0


@contextmanager
def _side(name: str, cloud: Cloud, chance: random.Random, **options: Any) -> Iterator[Side]:
    with (
        start_django(client_id=CLIENT_ID, redirect_uris=[CALLBACK], client_secret=ASCII_SECRET, access_token_seconds=LIFE, **options) as peer,
        staged(cloud.stage(), peer) as scene,
    ):
        ledger = Ledger(scene.token_path, random.Random(chance.random()))
        scene.proxy.chooser = ledger
        yield Side(name, scene, ledger, _subscribed(scene))


def _subscribed(scene: Scene) -> str:
    """A queue that hears every event."""
    cloud, sqs = scene.stage.cloud, scene.stage.cloud.client("sqs")
    url = str(sqs.create_queue(QueueName=f"{scene.stage.table}-heard")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    cloud.client("sns").subscribe(TopicArn=scene.stage.environ["STANDPIPE_TOPIC_ARN"], Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    return url


def _connect(side: Side, count: int) -> None:
    engine = side.scene.first.warm()

    def one(_number: int) -> Owner:
        owner = new_owner()
        side.scene.connected(owner)
        live = engine.fetch(owner)
        assert isinstance(live, Live) and live.tokens.refresh_token is not None
        side.ledger.learn(live.tokens.refresh_token.reveal(), owner.user_id or "")
        return owner

    with ThreadPoolExecutor(6) as pool:
        side.people = list(pool.map(one, range(count)))


def _storm(plan: Plan, sides: list[Side], fleet: Fleet, endpoint: str, chance: random.Random, began: float, broken: list[str]) -> Counter[str]:
    """People fetch, leave and revoke, processes are killed, until the time is over. What the fetches got."""
    fetched: Counter[str] = Counter()
    over, until = threading.Event(), time.monotonic() + plan.seconds
    fetchers = [threading.Thread(target=_fetch, args=(side, side.scene.process(endpoint=endpoint).warm(), random.Random(chance.random()), over, fetched, broken)) for side in sides for _ in range(2)]
    for thread in fetchers:
        thread.start()
    kill_at, leave_at, say_at = (time.monotonic() + every for every in (KILL_EVERY, LEAVE_EVERY, SAY_EVERY))
    while time.monotonic() < until:
        now = time.monotonic()
        if now >= kill_at:
            fleet.kill_one(chance)
            kill_at = now + KILL_EVERY * chance.uniform(0.5, 1.5)
        if now >= leave_at:
            _leave(chance.choice(sides), chance)
            leave_at = now + LEAVE_EVERY
        if now >= say_at:
            counted = fleet.outcomes()
            _say(began, f"{counted.total()} refreshes ended, {sum(counted[bad] for bad in BAD)} badly; {fetched.total()} fetches; {len(fleet.kills)} killed")
            say_at = now + SAY_EVERY
        time.sleep(0.2)
    over.set()
    for thread in fetchers:
        thread.join()
    return fetched


def _leave(side: Side, chance: random.Random) -> None:
    """Somebody revokes at the provider, or disconnects here."""
    owner = chance.choice(side.people)
    person = owner.user_id or ""
    if person in side.left or person in side.revoked:
        return
    if chance.random() < 0.5:
        side.revoked.add(person)
        side.scene.peer.revoke_user(person)
    else:
        side.left.add(person)
        try:
            side.scene.first.disconnect.disconnect(owner, SLUG, seconds_left=lambda: 29.0)
        except StandpipeError:
            side.left.discard(person)


def _fetch(side: Side, engine: Process, chance: random.Random, over: threading.Event, fetched: Counter[str], broken: list[str]) -> None:
    while not over.wait(0.2):
        owner = chance.choice(side.people)
        try:
            answer = engine.fetch(owner)
        except StandpipeError as error:
            fetched[error.code] += 1
            continue
        fetched["live" if isinstance(answer, Live) else answer.error] += 1
        if isinstance(answer, Live) and (violation := _look(side, engine, owner, answer)):
            broken.append(violation)


def _look(side: Side, engine: Process, owner: Owner, live: Live) -> str | None:
    """Whether the provider takes the token, and says that it is this person's. One that was replaced or ended since tells nothing."""
    if live.connection.expires_at is not None and live.connection.expires_at <= engine.now() - timedelta(seconds=5):
        return f"{side.name}: an expired token was returned to {owner.user_id}"
    answer = requests.get(side.scene.peer.userinfo_endpoint, headers={"Authorization": f"Bearer {live.tokens.access_token.reveal()}"}, timeout=60)
    if answer.status_code == 200:
        return None if answer.json().get("sub") == owner.user_id else f"{side.name}: {owner.user_id} got the token of {answer.json().get('sub')}"
    person, row = owner.user_id or "", side.scene.first.row(owner)
    if person in side.revoked or person in side.left or row.generation != live.connection.generation or row.state != "connected" or row.lease_owner or row.intent_attempt:
        return None
    return f"{side.name}: {person} got a token that the provider does not take"


def _report(sides: list[Side], fleet: Fleet, weather: Weather, fetched: Counter[str], broken: list[str]) -> None:
    lost: Counter[str] = Counter()
    for side in sides:
        engine = side.scene.process()
        heard = _heard(side)
        for owner in side.people:
            kind = _end_of(side, engine, owner, fleet.kills, broken)
            lost[f"{side.name}: {kind}"] += 1
            log = engine.outbox_rows.log(engine.row(owner).id)
            names = Counter(event.event.rsplit(".", 1)[1] for event in log)
            if (
                names["connected"] != 1
                or names["reauthorization_needed"] > 1 + names["recovered"]
                or (names["reauthorization_needed"] > names["recovered"]) != (kind in ("revoked", "lost answer", "LOST"))
                and kind != "left"
            ):
                broken.append(f"{side.name}: {owner.user_id} ({kind}) has events {dict(names)}")
            if missing := {event.id for event in log} - heard:
                broken.append(f"{side.name}: {len(missing)} events of {owner.user_id} were never published")
        text = fleet.text()
        live = [answer for owner in side.people[:50] if isinstance(answer := _quiet(engine, owner), Live)]
        if any(answer.tokens.access_token.reveal() in text for answer in live):
            broken.append("a token is in a process's output")
    outcomes = fleet.outcomes()
    bad = sum(outcomes[name] for name in BAD)
    _print("\nrefresh outcomes of the workers")
    for name, number in outcomes.most_common():
        _print(f"  {name:<26}{number}")
    _print(f"  SLO 1 - bad/all           {1 - bad / max(1, outcomes.total()):.4%}")
    for title, counted in (("rescues", fleet.outcomes("rescue")), ("revocations", fleet.outcomes("revoke")), ("fetches", fetched), ("grants at the end", lost)):
        _print(f"{title}: " + (", ".join(f"{name} {number}" for name, number in sorted(counted.items())) or "none"))
    committed = sum((side.ledger.committed for side in sides), Counter[str]())
    _print("faults at providers: " + (", ".join(f"{name} {number}" for name, number in sorted(committed.items())) or "none"))
    _print("faults at AWS: " + (", ".join(f"{name} {number}" for name, number in sorted(weather.committed.items())) or "none"))
    _print(f"processes killed: {len(fleet.kills)}")


def _quiet(engine: Process, owner: Owner) -> Any:
    try:
        return engine.fetch(owner)
    except StandpipeError as error:
        return error


def _end_of(side: Side, engine: Process, owner: Owner, kills: list[float], broken: list[str]) -> str:
    """How a connection ended, and whether that had a cause."""
    person = owner.user_id or ""
    answer = _quiet(engine, owner)
    state = engine.row(owner).state
    if person in side.left:
        if state != "disconnected":
            broken.append(f"{side.name}: {person} left and is {state}")
        return "left"
    if isinstance(answer, Live):
        if person in side.revoked:
            return "revoked, not noticed yet"
        if violation := _look(side, engine, owner, answer):
            broken.append(violation)
        return "live"
    if isinstance(answer, StandpipeError):
        broken.append(f"{side.name}: {person} cannot be fetched after everything settled: {answer.code}")
        return "unavailable"
    if person in side.revoked:
        return "revoked"
    if side.name == "strict" and side.ledger.lost_one(person, kills):
        return "lost answer"
    broken.append(f"{side.name}: {person} is {state} ({answer.reason}) and no answer of theirs was dropped")
    return "LOST"


def _heard(side: Side) -> set[str]:
    sqs, found = side.scene.stage.cloud.client("sqs"), set[str]()
    while batch := sqs.receive_message(QueueUrl=side.heard_url, MaxNumberOfMessages=10, VisibilityTimeout=3600).get("Messages", []):
        found |= {str(json.loads(message["Body"])["id"]) for message in batch}
    return found


def _print(text: str, flush: bool = True) -> None:
    print(text, file=sys.__stdout__, flush=flush)


def _say(began: float, text: str) -> None:
    _print(f"[{time.monotonic() - began:5.0f} s] {text}", flush=True)
