"""Deploying: what is refused before anything is touched, and what is written into the configuration."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ops import deploy
from ops.errors import StepFailed

ROOT = Path(__file__).resolve().parents[2]


def project(directory: Path, section: dict[str, Any]) -> Path:
    (directory / ".chalice").mkdir()
    (directory / ".chalice" / "config.json").write_text(json.dumps({"version": "2.0", "stages": {"prod": section, "other": {"lambda_timeout": 1}}}))
    return directory


FILLED = {"environment_variables": {"STANDPIPE_ENVIRONMENT": "production", "STANDPIPE_URL": "https://connect.acme.example"}}


@pytest.mark.parametrize("stage", ["prod", "sandbox"])
def test_the_placeholders_of_the_repository_are_refused_by_name(stage: str) -> None:
    with pytest.raises(StepFailed, match="STANDPIPE_URL.*api_gateway_custom_domain.certificate_arn.*docs/deploy.md"):
        deploy.deploy(ROOT, stage, {})


def test_a_stage_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="no stage 'staging'"):
        deploy.deploy(project(tmp_path, FILLED), "staging", {})


def test_a_missing_url_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="STANDPIPE_URL"):
        deploy.deploy(project(tmp_path, {"environment_variables": {"STANDPIPE_ENVIRONMENT": "production"}}), "prod", {})


def test_what_the_stack_made_is_written_into_its_stage_alone(tmp_path: Path) -> None:
    deploy.write_config(project(tmp_path, FILLED), "prod", {"STANDPIPE_TABLE": "standpipe-prod"}, "arn:aws:iam::123456789012:role/standpipe-prod-api")
    stages = deploy.read_config(tmp_path)["stages"]
    assert stages["prod"]["environment_variables"] == {"STANDPIPE_TABLE": "standpipe-prod"}
    assert stages["prod"]["manage_iam_role"] is False
    assert stages["prod"]["iam_role_arn"].endswith("role/standpipe-prod-api")
    assert stages["other"] == {"lambda_timeout": 1}


def test_the_repository_s_configuration_holds_no_secret_and_no_account() -> None:
    text = (ROOT / ".chalice" / "config.json").read_text()
    assert not re.search(r"\d{12}|AKIA|secret", text, re.IGNORECASE)
