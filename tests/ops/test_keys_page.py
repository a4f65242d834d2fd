"""docs/keys.md done to the letter: what it has an operator run leaves a stage, a template and a table as it says."""

import os
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from chalicelib.domain import lifecycle
from chalicelib.domain.schedule import Policy
from chalicelib.doors import keys
from ops import stack
from tests.cloud import ROOT, Cloud, Stage
from tests.domain.samples import answer
from tests.ops.restorations import HOUR, NOW, Rows, run

PAGE = (ROOT / "docs" / "keys.md").read_text()
CHANGE, RESTORE = PAGE.split("## After a restore")


def commands(text: str, mentioning: str) -> str:
    """The one block of commands that has this in it."""
    (block,) = [block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if mentioning in block]
    return str(block)


def program(block: str) -> str:
    """The Python of a block, between `<<'END'` and `END`."""
    found = re.search(r"<<'END'\n(.*?)\nEND\n", block, re.DOTALL)
    assert found is not None
    return found[1]


class Deployed:
    """The resources of a stage, applied from a copy of the template that may be changed."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud, self.folder, self.stage = cloud, folder, f"s{uuid.uuid4().hex[:8]}"
        (folder / ".chalice").mkdir()
        shutil.copy(ROOT / ".chalice" / "resources.json", folder / ".chalice" / "resources.json")

    def apply(self, former: str = "") -> dict[str, str]:
        return stack.apply(self.cloud.client("cloudformation"), self.folder, self.stage, "production", former)

    def allowed(self, action: str) -> dict[str, set[str]]:
        """Which keys each role may use for it."""
        iam, found = self.cloud.client("iam"), {}
        for role in ("api", "worker", "sweep"):
            name = f"standpipe-{self.stage}-{role}"
            documents = [iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]]
            statements = [statement for document in documents for statement in document["Statement"] if action in _listed(statement["Action"])]
            # The embedded AWS joins nothing in a condition, and so leaves a resource without a name where no former key is given.
            found[role] = {arn for statement in statements for arn in _listed(statement["Resource"])} - {""}
        return found


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_case_53_the_steps_of_a_change_leave_the_old_key_to_open_with_and_the_new_one_to_seal_with(cloud: Cloud, tmp_path: Path) -> None:
    deployed = Deployed(cloud, tmp_path)
    old = deployed.apply()["KeyArn"]
    subprocess.run([sys.executable, "-c", program(commands(CHANGE, 'Key2"] ='))], cwd=tmp_path, check=True)
    assert deployed.apply()["KeyArn"] == old  # nothing uses it yet
    made = cloud.client("cloudformation").describe_stack_resource(StackName=f"standpipe-{deployed.stage}", LogicalResourceId="Key2")["StackResourceDetail"]["PhysicalResourceId"]
    new = cloud.client("kms").describe_key(KeyId=made)["KeyMetadata"]["Arn"]
    deployed.apply(new)
    assert deployed.allowed("kms:Decrypt") == {"api": {old, new}, "worker": {old, new}, "sweep": set()}

    (change,) = [line for line in commands(CHANGE, "sed ").splitlines() if line.startswith("sed ")]
    subprocess.run(["sh", "-c", change], cwd=tmp_path, check=True)
    assert [path.name for path in (tmp_path / ".chalice").iterdir()] == ["resources.json"]
    assert deployed.apply(old)["KeyArn"] == new
    assert deployed.allowed("kms:GenerateDataKey") == {"api": {new}, "worker": {new}, "sweep": set()}
    assert deployed.allowed("kms:Decrypt") == {"api": {old, new}, "worker": {old, new}, "sweep": set()}
    kms = cloud.client("kms")
    assert kms.describe_key(KeyId=f"alias/standpipe-{deployed.stage}")["KeyMetadata"]["Arn"] == new
    assert kms.describe_key(KeyId=old)["KeyMetadata"]["KeyState"] == "Enabled"
    assert kms.get_key_policy(KeyId=new, PolicyName="default")["Policy"] == kms.get_key_policy(KeyId=old, PolicyName="default")["Policy"]
    deployed.apply()
    assert deployed.allowed("kms:Decrypt") == {"api": {new}, "worker": {new}, "sweep": set()}


def test_case_61_what_the_page_copies_back_is_what_was_lost_and_marked(stage: Stage) -> None:
    rows, copy = Rows(stage), stage.cloud.stage().table
    client = stage.cloud.client("dynamodb")
    lost, kept, ended = (rows.add(name) for name in ("lost", "kept", "ended"))
    rows.engine.api_keys.create("revoked since")
    for row in client.scan(TableName=stage.table)["Items"]:
        client.put_item(TableName=copy, Item=row)
    backed_up = _names(client, copy)
    for made in (lost, kept, ended):
        rows.engine.store.commit(lifecycle.refreshed(rows.now(made), answer(), b"newer", policy=Policy(), now=NOW))
    rows.engine.store.commit(lifecycle.disconnected(rows.now(ended), NOW))
    since = [rows.now(kept), rows.now(ended)]
    for gone in (keys.connection(lost.owner, lost.slug), keys.registration("github")):
        rows.engine.table.delete(gone)
    for row in rows.engine.table.query("pk = :pk", keys.API_KEYS):
        rows.engine.table.delete({"pk": row["pk"], "sk": row["sk"]})
    before = _names(client, stage.table)
    report, listed, _ = run(stage, table=copy)
    assert report.marked == 3 and {line["user_id"] for line in listed} == {"lost", "kept", "ended"}

    environ = {**os.environ, **stage.cloud.environ}
    done = subprocess.run([sys.executable, "-", copy, stage.table], input=program(commands(RESTORE, "put_item")), env=environ, capture_output=True, text=True, check=True)
    assert sorted(done.stdout.splitlines()) == ["copied owner#-#lost connection#github#default", "copied registration github"]
    assert _names(client, stage.table) - before == {("owner#-#lost", "connection#github#default"), ("registration", "github")} < backed_up
    assert [rows.now(kept), rows.now(ended)] == since
    back = rows.now(lost)
    assert (back.state, back.generation, back.intent_attempt) == ("connected", lost.generation, 1)
    (due,) = [entry for shard in range(rows.engine.agenda.shards) for entry in rows.engine.agenda.due(shard, NOW + 2 * HOUR) if entry.key["pk"] == "owner#-#lost"]
    assert due.since >= NOW


def _names(client: Any, table: str) -> set[tuple[str, str]]:
    return {(row["pk"]["S"], row["sk"]["S"]) for row in client.scan(TableName=table)["Items"]}


def test_every_command_of_the_page_is_one_there_is() -> None:
    found = re.findall(r"python -m (ops [a-z]+.*?--stage prod.*)", PAGE)
    assert {line.split()[1] for line in found} == {"reseal", "restored"}
    for line in found:
        words = [word for word in line.split()[1:] if word.startswith("--")]
        helped = subprocess.run([sys.executable, "-m", "ops", line.split()[1], "--help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        assert [word for word in words if word not in helped] == []
