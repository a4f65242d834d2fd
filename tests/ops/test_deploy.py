"""Deploying: what is refused before anything is touched, and what is written into the configuration."""

import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain import settings
from ops import __main__ as commands
from ops import deploy
from ops.errors import StepFailed
from tests.cloud import QUEUES, ROOT, Cloud


def project(directory: Path, section: dict[str, Any]) -> Path:
    (directory / ".chalice").mkdir()
    (directory / ".chalice" / "config.json").write_text(json.dumps({"version": "2.0", "stages": {"prod": section, "other": {"lambda_timeout": 1}}}))
    return directory


FILLED = {"environment_variables": {"STANDPIPE_ENVIRONMENT": "production", "STANDPIPE_URL": "https://connect.acme.example"}}


def test_a_placeholder_left_in_is_refused_by_name(tmp_path: Path) -> None:
    section = {
        "environment_variables": {**FILLED["environment_variables"], "STANDPIPE_APP_NAME": deploy.PLACEHOLDER},
        "api_gateway_custom_domain": {"domain_name": "connect.acme.example", "certificate_arn": f"arn:aws:acm:{deploy.PLACEHOLDER}"},
    }
    with pytest.raises(StepFailed, match=r"(?s)STANDPIPE_APP_NAME, api_gateway_custom_domain.certificate_arn\n.*docs/deploy.md"):
        deploy.deploy(project(tmp_path, section), "prod", {})


def test_a_stage_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="no stage 'staging'"):
        deploy.deploy(project(tmp_path, FILLED), "staging", {})


def test_a_missing_url_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="STANDPIPE_URL"):
        deploy.deploy(project(tmp_path, {"environment_variables": {"STANDPIPE_ENVIRONMENT": "production"}}), "prod", {})


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"STANDPIPE_URL": "http://connect.acme.example"}, "STANDPIPE_URL must be https in production"),
        ({"STANDPIPE_URL": "https://connect.acme.example/api"}, "STANDPIPE_URL must be an origin"),
        ({"STANDPIPE_ENCRYPTION": "bounded"}, "STANDPIPE_ENCRYPTION must be audited or bound or shared"),
        ({"STANDPIPE_ALLOWED_PRIVATE_HOSTS": "localhost"}, "STANDPIPE_ALLOWED_PRIVATE_HOSTS is for a sandbox only"),
        ({"STANDPIPE_COLOR": "blue"}, "STANDPIPE_COLOR must be a colour such as"),
        ({"STANDPIPE_LOGO": "../logo.png"}, "STANDPIPE_LOGO must be the name of a"),
        ({"STANDPIPE_LOGO": "acme.png"}, "STANDPIPE_LOGO names a file that is not in chalicelib/web/static/brand"),
        ({"STANDPIPE_RETURN_URL": "https://acme.example/"}, "settings that do not exist: STANDPIPE_RETURN_URL\n"),
        ({"STANDPIPE_URL": "https://other.acme.example"}, "domain_name is connect.acme.example"),
    ],
)
def test_what_a_function_would_refuse_is_refused_before_anything_is_made(tmp_path: Path, variables: dict[str, str], said: str) -> None:
    section = {"environment_variables": {**FILLED["environment_variables"], **variables}, "api_gateway_custom_domain": {"domain_name": "connect.acme.example"}}
    with pytest.raises(StepFailed, match=said):
        deploy.deploy(project(tmp_path, section), "prod", {})


def test_the_sandbox_of_make_run_is_not_deployed_into_aws(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["ops", "deploy", "--stage", "local"])
    with pytest.raises(SystemExit, match="1"):
        commands.main()

    assert "STAGE=prod" in capsys.readouterr().err


def test_without_credentials_the_operator_is_told_which_and_sees_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    made = project(tmp_path, FILLED)
    (made / ".chalice" / "resources.json").write_text("{}")
    monkeypatch.setattr(commands, "ROOT", made)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    for command in (["deploy", "--stage", "prod"], ["key", "--stage", "prod"]):
        monkeypatch.setattr(sys, "argv", ["ops", *command])
        with pytest.raises(SystemExit, match="1"):
            commands.main()
        told = capsys.readouterr().err
        assert "Reaching AWS failed" in told and "AWS_PROFILE" in told
        section = {**FILLED["environment_variables"], "STANDPIPE_STAGE": "prod", "STANDPIPE_TABLE": "t", "STANDPIPE_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/k"}
        section |= {
            "STANDPIPE_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:t",
            **{f"STANDPIPE_{queue}_QUEUE_URL": "https://sqs/123456789012/q" for queue in ("REFRESH", "RESCUE", "REVOKE", "WEBHOOK")},
        }
        deploy.write_config(made, "prod", section, "arn:aws:iam::123456789012:role/standpipe-prod-api", {})


def test_what_the_stack_made_is_written_into_its_stage_alone(tmp_path: Path) -> None:
    deploy.write_config(project(tmp_path, FILLED), "prod", {"STANDPIPE_TABLE": "standpipe-prod"}, "arn:aws:iam::123456789012:role/standpipe-prod-api", {"sweep": "arn:of:sweep"})
    stages = deploy.read_config(tmp_path)["stages"]
    assert stages["prod"]["environment_variables"] == {"STANDPIPE_TABLE": "standpipe-prod"}
    assert stages["prod"]["manage_iam_role"] is False
    assert stages["prod"]["iam_role_arn"].endswith("role/standpipe-prod-api")
    assert stages["prod"]["lambda_functions"] == {"sweep": {"manage_iam_role": False, "iam_role_arn": "arn:of:sweep"}}
    assert stages["other"] == {"lambda_timeout": 1}


def test_what_the_stack_made_reaches_chalice_and_former_keys_reach_the_stack(tmp_path: Path, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = f"s{uuid.uuid4().hex[:8]}"
    former = [f"arn:aws:kms:us-east-1:000000000000:key/{number}" for number in (1, 2)]
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "resources.json").write_text((ROOT / ".chalice" / "resources.json").read_text())
    section = {"environment_variables": {"STANDPIPE_ENVIRONMENT": "sandbox", "STANDPIPE_URL": "http://localhost:8000", "STANDPIPE_FORMER_KEY_ARNS": " ".join(former)}}
    section["lambda_functions"] = {"refresh": {"lambda_memory_size": 2048}}
    (tmp_path / ".chalice" / "config.json").write_text(json.dumps({"version": "2.0", "stages": {stage: section}}))
    reached: list[dict[str, Any]] = []
    monkeypatch.setattr(deploy, "chalice", lambda project, name, environ: reached.append(deploy.read_config(project)["stages"][name]))

    variables = deploy.deploy(tmp_path, stage, cloud.environ)

    (written,) = reached
    assert written["environment_variables"] == variables
    found = settings.read(variables)
    assert (found.stage, found.topic_arn.rpartition(":")[2], found.former_key_arns) == (stage, f"standpipe-{stage}-events", tuple(former))
    assert [url.rsplit("/", 1)[-1] for url in (found.refresh_queue_url, found.rescue_queue_url, found.revoke_queue_url, found.webhook_queue_url)] == [f"standpipe-{stage}-{name}" for name in QUEUES]
    roles = {name: function["iam_role_arn"].rsplit("-", 1)[-1] for name, function in written["lambda_functions"].items()}
    assert roles == {"sweep": "sweep", "repair": "sweep", "refresh": "worker", "rescue": "worker", "revoke": "worker", "webhook": "webhook"}
    assert written["iam_role_arn"].endswith("-api") and written["lambda_functions"]["refresh"]["lambda_memory_size"] == 2048
    for name in ("api", "worker"):
        document = cloud.client("iam").get_role_policy(RoleName=f"standpipe-{stage}-{name}", PolicyName=name)["PolicyDocument"]
        assert [statement["Resource"] for statement in document["Statement"] if statement["Sid"] == "OpenOfFormerKeys"] == [former]
