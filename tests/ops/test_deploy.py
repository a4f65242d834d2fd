"""Deploying: what is refused before anything is touched, and what is written into the configuration."""

import json
from pathlib import Path
from typing import Any

import pytest

from ops import deploy
from ops.errors import StepFailed


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


def test_what_the_stack_made_is_written_into_its_stage_alone(tmp_path: Path) -> None:
    deploy.write_config(project(tmp_path, FILLED), "prod", {"STANDPIPE_TABLE": "standpipe-prod"}, "arn:aws:iam::123456789012:role/standpipe-prod-api")
    stages = deploy.read_config(tmp_path)["stages"]
    assert stages["prod"]["environment_variables"] == {"STANDPIPE_TABLE": "standpipe-prod"}
    assert stages["prod"]["manage_iam_role"] is False
    assert stages["prod"]["iam_role_arn"].endswith("role/standpipe-prod-api")
    assert stages["other"] == {"lambda_timeout": 1}
