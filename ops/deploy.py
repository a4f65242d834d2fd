"""Deploying a stage: resources by CloudFormation, their names into `.chalice/config.json`, then a real `chalice deploy`.

The same for AWS, in the repository itself (commit what it writes: `.chalice/config.json` and `.chalice/deployed/`), and for the local
cloud, in a copy, so that a developer's working tree stays clean.
"""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

from chalicelib.domain import settings as settings_module
from chalicelib.web import branding
from ops import stack
from ops.errors import StepFailed

PLACEHOLDER = "REPLACE-ME"
READING = "Reading .chalice/config.json"
SUPPORTED = ((3, 11), (3, 14))  # what Lambda and Chalice have runtimes for


def deploy(project: Path, stage: str, environ: dict[str, str], *, settings: dict[str, str] | None = None) -> dict[str, str]:
    """Deploys `stage` of the project; returns its environment variables. Raises StepFailed."""
    check_python()
    config = read_config(project)
    variables = _variables(config, stage, settings or {})
    _check_logo(project, stage, variables.get("STANDPIPE_LOGO", ""))
    region = environ.get("AWS_DEFAULT_REGION") or environ.get("AWS_REGION")
    cloudformation = boto3.client(
        "cloudformation",
        region_name=region,
        endpoint_url=environ.get("AWS_ENDPOINT_URL"),
        aws_access_key_id=environ.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=environ.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=environ.get("AWS_SESSION_TOKEN"),
    )
    print(f"  resources of stage '{stage}'", flush=True)
    made = stack.apply(cloudformation, project, stage, variables["STANDPIPE_ENVIRONMENT"], ",".join(variables.get("STANDPIPE_FORMER_KEY_ARNS", "").replace(",", " ").split()))
    variables |= {setting: made[output] for output, setting in stack.SETTINGS.items()}
    write_config(project, stage, variables, made[stack.ROLE], {function: made[output] for function, output in stack.ROLES.items()})
    print(f"  chalice deploy --stage {stage}", flush=True)
    chalice(project, stage, environ)
    return variables


def read_config(project: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((project / ".chalice" / "config.json").read_text())
    return config


def write_config(project: Path, stage: str, variables: dict[str, str], role_arn: str, roles: dict[str, str]) -> None:
    """Puts what the stack made into the stage's section; nothing in it is secret."""
    config = read_config(project)
    section = config["stages"][stage]
    section["environment_variables"] = dict(sorted(variables.items()))
    section["manage_iam_role"] = False
    section["iam_role_arn"] = role_arn
    for function, arn in roles.items():
        section.setdefault("lambda_functions", {}).setdefault(function, {}).update({"manage_iam_role": False, "iam_role_arn": arn})
    (project / ".chalice" / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def chalice(project: Path, stage: str, environ: dict[str, str]) -> None:
    """A real `chalice deploy` in the project's folder. Raises StepFailed with the end of what it printed."""
    command = [str(Path(sys.executable).with_name("chalice")), "deploy", "--stage", stage]
    done = subprocess.run(command, cwd=project, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        tail = "\n    ".join(done.stdout.strip().splitlines()[-15:])
        raise StepFailed(
            f"chalice deploy --stage {stage}", f"exit code {done.returncode}\n    {tail}", "The lines above are Chalice's own. Credentials, quotas and package downloads are the usual causes."
        )
    if "AWS_ENDPOINT_URL" not in environ:
        print(done.stdout.strip(), flush=True)  # names the domain's target, and any package that could not be built


def api_url(project: Path, stage: str) -> str | None:
    """The API's id as the last deployment recorded it."""
    try:
        deployed = json.loads((project / ".chalice" / "deployed" / f"{stage}.json").read_text())
    except (OSError, ValueError):
        return None
    return next((str(r["rest_api_id"]) for r in deployed["resources"] if r["resource_type"] == "rest_api"), None)


def check_python() -> None:
    """Raises StepFailed on a Python that has no Lambda runtime."""
    if not SUPPORTED[0] <= sys.version_info[:2] <= SUPPORTED[1]:
        lowest, highest = (".".join(map(str, version)) for version in SUPPORTED)
        raise StepFailed(
            "Checking Python",
            f"this is Python {sys.version_info.major}.{sys.version_info.minor}",
            f"Use Python {lowest} to {highest}: the package is built for the Lambda runtime of the same version.",
        )


def _variables(config: dict[str, Any], stage: str, settings: dict[str, str]) -> dict[str, str]:
    sections = config.get("stages", {})
    if stage not in sections:
        raise StepFailed(READING, f"there is no stage '{stage}'", f"Add one beside {', '.join(sorted(sections))}; docs/deploy.md explains each setting.")
    variables = {**sections[stage].get("environment_variables", {}), **settings}
    variables["STANDPIPE_STAGE"] = stage
    missing = [name for name in ("STANDPIPE_ENVIRONMENT", "STANDPIPE_URL") if not variables.get(name)]
    unfilled = [name for name, value in variables.items() if PLACEHOLDER in value]
    domain = sections[stage].get("api_gateway_custom_domain", {})
    unfilled += [f"api_gateway_custom_domain.{name}" for name, value in domain.items() if PLACEHOLDER in str(value)]
    if missing or unfilled:
        raise StepFailed(READING, f"stage '{stage}' is not filled in: {', '.join(missing + unfilled)}", "Put your own values there; docs/deploy.md explains each.")
    _check(stage, variables, domain.get("domain_name"))
    return variables


def _check(stage: str, variables: dict[str, str], domain: str | None) -> None:
    """What the functions would say at their first request, and what nobody would say at all, said before anything is made. Raises StepFailed."""
    made = {"STANDPIPE_TABLE": "table", "STANDPIPE_KEY_ARN": "arn:aws:kms:us-east-1:000000000000:key/0", "STANDPIPE_TOPIC_ARN": "arn:aws:sns:us-east-1:000000000000:topic"}
    made |= {name: "https://sqs/000000000000/queue" for name in stack.SETTINGS.values() if name.endswith("_QUEUE_URL")}
    try:
        url = settings_module.read({**made, **variables}).url
    except settings_module.SettingsError as error:
        raise StepFailed(READING, str(error), f"Mend it in the section of stage '{stage}'; docs/deploy.md explains each.") from None
    known = {f"{settings_module.PREFIX}{field.name.upper()}" for field in fields(settings_module.Settings)}
    unknown = sorted(name for name in variables if name.startswith(settings_module.PREFIX) and name not in known)
    if unknown:
        raise StepFailed(READING, f"stage '{stage}' has settings that do not exist: {', '.join(unknown)}", f"There are {', '.join(sorted(known))}.")
    if domain is not None and domain != urlsplit(url).hostname:
        raise StepFailed(
            READING,
            f"STANDPIPE_URL is {url}, and api_gateway_custom_domain.domain_name is {domain}",
            "Both name the same host: links and redirect URIs are built from the one, and answered at the other.",
        )


def _check_logo(project: Path, stage: str, name: str) -> None:
    """The file is packaged with the code, so it is there now or never. Raises StepFailed."""
    try:
        if name:
            branding.read_logo(name, project / "chalicelib" / "web" / "static" / "brand")
    except settings_module.SettingsError as error:
        raise StepFailed(READING, str(error), f"Put the file there, or mend its name in the section of stage '{stage}'; docs/pages.md explains it.") from None
