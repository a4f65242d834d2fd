"""What a deployment to AWS would send: the template that `chalice package` makes of a filled-in stage, and the zip beside it."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_all, lint_file
from cfnlint.config import ManualArgs

from ops import deploy
from ops.local import package
from tests.cloud import ROOT, free_port

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0f9a1b2c-1234-4c4d-9e9f-0123456789ab"
ROLE = "arn:aws:iam::123456789012:role/standpipe-prod-api"
ROLES = {
    function: f"arn:aws:iam::123456789012:role/standpipe-prod-{role}"
    for function, role in (("sweep", "sweep"), ("repair", "sweep"), ("refresh", "worker"), ("rescue", "worker"), ("revoke", "worker"), ("webhook", "webhook"))
}
OUTPUTS = {
    "STANDPIPE_TABLE": "standpipe-prod",
    "STANDPIPE_KEY_ARN": "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "STANDPIPE_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:standpipe-prod-events",
    **{f"STANDPIPE_{queue.upper()}_QUEUE_URL": f"https://sqs.eu-west-1.amazonaws.com/123456789012/standpipe-prod-{queue}" for queue in ("refresh", "rescue", "revoke", "webhook")},
}
# Lies in the folder of a checkout and has no business in a function.
NOT_SHIPPED = ("ops", "tests", "docs", "frontend", "examples", ".local", ".git", ".ci")


class Packaged:
    def __init__(self, folder: Path) -> None:
        self.template: dict[str, Any] = json.loads((folder / "sam.json").read_text())
        self.file = folder / "sam.json"
        with zipfile.ZipFile(folder / "deployment.zip") as zipped:
            self.names = zipped.namelist()
        self.size = (folder / "deployment.zip").stat().st_size
        resources = self.template["Resources"]
        self.function = resources["APIHandler"]["Properties"]
        self.api = resources["RestAPI"]["Properties"]
        self.resources = resources


def checkout(folder: Path) -> Path:
    """As an operator has it, with the stage filled in and everything around that must stay behind."""
    for name in ("app.py", "chalicelib", "requirements.txt", ".chalice/config.json", "ops", "examples"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    for name in NOT_SHIPPED:
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "kept_here.py").write_text("")
    (folder / ".local" / "standpipe.env").write_text("STANDPIPE_API_KEY='sk_not_for_anyone'\n")
    config = folder / ".chalice" / "config.json"
    config.write_text(config.read_text().replace(f"arn:aws:acm:{deploy.PLACEHOLDER}", CERTIFICATE).replace(deploy.PLACEHOLDER, "connect"))
    return folder


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Packaged:
    project = checkout(tmp_path_factory.mktemp("prod"))
    variables = deploy._variables(deploy.read_config(project), "prod", {})
    deploy.write_config(project, "prod", {**variables, **OUTPUTS}, ROLE, ROLES)
    # Chalice would download the pinned wheels; the installed ones spare the test a network.
    package.vendor(project)
    command = [str(Path(sys.executable).with_name("chalice")), "package", "--stage", "prod", "out"]
    nowhere = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}", "AWS_DEFAULT_REGION": "eu-west-1"}
    done = subprocess.run(command, cwd=project, env={**os.environ, **nowhere}, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return Packaged(project / "out")


def test_the_template_is_valid(packaged: Packaged) -> None:
    assert lint_file(packaged.file, config=ManualArgs(regions=["eu-west-1"])) == []
    broken = {**packaged.template, "Resources": {**packaged.resources, "APIHandler": {"Type": "AWS::Serverless::Function", "Properties": {"Memory": 1}}}}
    assert lint_all(json.dumps(broken)), "the linter looks inside"


def test_the_function_is_what_the_configuration_says(packaged: Packaged) -> None:
    function = packaged.function
    assert (function["Handler"], function["MemorySize"], function["Timeout"]) == ("app.app", 1024, 29)
    assert function["Runtime"] == f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert function["Tracing"] == "PassThrough"
    assert function["Environment"]["Variables"] == {
        "STANDPIPE_ENVIRONMENT": "production",
        "STANDPIPE_STAGE": "prod",
        "STANDPIPE_URL": "https://connect.example.com",
        "STANDPIPE_APP_NAME": "connect",
        "STANDPIPE_RETURN_URLS": "https://connect.example.com/connected",
        **OUTPUTS,
    }


def test_it_runs_with_the_role_of_the_stack_and_no_other(packaged: Packaged) -> None:
    assert packaged.function["Role"] == ROLE
    functions = {name: each["Properties"] for name, each in packaged.resources.items() if each["Type"] == "AWS::Serverless::Function"}
    assert {name.lower(): each["Role"] for name, each in functions.items() if name != "APIHandler"} == ROLES
    assert not any("Policies" in each for each in functions.values())
    assert {resource["Type"] for resource in packaged.resources.values()} == {
        "AWS::Serverless::Api",
        "AWS::Serverless::Function",
        "AWS::Lambda::Permission",
        "AWS::ApiGateway::DomainName",
        "AWS::ApiGateway::BasePathMapping",
    }


def test_what_wakes_a_function_and_what_it_gets(packaged: Packaged) -> None:
    """Queue names are made when app.py is imported, so the stage has to be known by then."""
    found = {}
    for name, resource in packaged.resources.items():
        if resource["Type"] == "AWS::Serverless::Function":
            each = resource["Properties"]
            woken = [event["Properties"].get("Schedule") or event["Properties"]["Queue"]["Fn::Sub"].rsplit(":", 1)[-1] for event in each.get("Events", {}).values() if event["Type"] != "Api"]
            found[name] = (*woken, each["Timeout"], each["MemorySize"])
    assert found == {
        "APIHandler": (29, 1024),
        "Sweep": ("rate(1 minute)", 55, 512),
        "Repair": ("rate(15 minutes)", 840, 512),
        "Refresh": ("standpipe-prod-refresh", 120, 1024),
        "Rescue": ("standpipe-prod-rescue", 120, 512),
        "Revoke": ("standpipe-prod-revoke", 120, 512),
        "Webhook": ("standpipe-prod-webhook", 60, 512),
    }
    sizes = [event["Properties"]["BatchSize"] for name in ("Refresh", "Rescue", "Revoke", "Webhook") for event in packaged.resources[name]["Properties"]["Events"].values()]
    assert sizes == [1, 1, 1, 1], "a message that cannot be handled comes back alone"


def test_a_message_stays_hidden_for_longer_than_its_function_may_run(packaged: Packaged) -> None:
    """Or Lambda refuses the trigger."""
    queues = json.loads((ROOT / ".chalice" / "resources.json").read_text())["Resources"]
    for name in ("Refresh", "Rescue", "Revoke", "Webhook"):
        assert queues[f"{name}Queue"]["Properties"]["VisibilityTimeout"] > packaged.resources[name]["Properties"]["Timeout"]


def test_the_api_is_mounted_at_the_root_of_its_domain(packaged: Packaged) -> None:
    assert packaged.api["MinimumCompressionSize"] == 1024
    assert packaged.api["EndpointConfiguration"] == "REGIONAL"
    domain = packaged.resources["ApiGatewayCustomDomain"]["Properties"]
    assert (domain["DomainName"], domain["RegionalCertificateArn"], domain["SecurityPolicy"]) == ("connect.example.com", CERTIFICATE, "TLS_1_2")
    mapping = packaged.resources["ApiGatewayCustomDomainMapping"]["Properties"]
    assert (mapping["BasePath"], mapping["Stage"]) == ("(none)", packaged.api["StageName"])
    paths = packaged.api["DefinitionBody"]["paths"]
    assert {"/", "/{proxy+}", "/data-integrations/{slug}/token", "/callback/{registration_id}"} <= paths.keys()


def test_nothing_that_turns_on_logging_of_addresses_is_in_it(packaged: Packaged) -> None:
    """Codes and states stand in the addresses of callbacks."""
    text = json.dumps(packaged.template)
    assert not re.search(r"DataTraceEnabled|LoggingLevel|AccessLogSetting|MethodSettings", text)


def test_the_zip_holds_the_application_its_requirements_and_nothing_else(packaged: Packaged) -> None:
    tops = {name.split("/")[0] for name in packaged.names}
    assert {"app.py", "chalicelib", "chalice"} <= tops
    assert not tops & {*NOT_SHIPPED, "vendor", ".chalice", "requirements.txt"}
    assert not [name for name in packaged.names if "kept_here" in name or name.endswith((".env", ".pyc")) or "__pycache__" in name]
    ours = {name for name in packaged.names if name.startswith("chalicelib/") and not name.endswith("/")}
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "chalicelib").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert ours == there
    assert packaged.size < 50 * 1024 * 1024, "Lambda takes no larger zip"


def test_no_file_of_the_package_holds_a_key_or_an_account(packaged: Packaged) -> None:
    assert "sk_not_for_anyone" not in json.dumps(packaged.template)
    assert not re.search(r"AKIA|secret", json.dumps(packaged.function), re.IGNORECASE)
