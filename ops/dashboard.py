"""`python -m ops dashboard`: a one-time link into the dashboard, minted with the operator's own AWS credentials. IAM is the identity: whoever may write to the stage's table may sign in."""

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.doors.dashboard_rows import Role
from ops.keys import _engine

PATH = "/dashboard/sign-in"


def link(environ: Mapping[str, str], *, read_only: bool = False) -> str:
    """A link that is good once, for five minutes. Its token is in the fragment, which no browser sends anywhere and no server logs."""
    engine = _engine(environ)
    role: Role = "viewer" if read_only else "administrator"
    return f"{engine.settings.url}{PATH}#{engine.sign_in.mint(actor(environ), role)}"


def revoke_all(environ: Mapping[str, str]) -> int:
    """Ends every session of the stage at once; how many."""
    return _engine(environ).sign_in.revoke_all(actor(environ))


def actor(environ: Mapping[str, str]) -> str:
    """Who these credentials are, by AWS's own word; every change made through the link is noted under this name."""
    given = {"endpoint_url": "AWS_ENDPOINT_URL", "aws_access_key_id": "AWS_ACCESS_KEY_ID", "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY", "aws_session_token": "AWS_SESSION_TOKEN"}
    region = environ["STANDPIPE_KEY_ARN"].split(":")[3]
    client: Any = boto3.client("sts", region_name=region, **{argument: environ[name] for argument, name in given.items() if environ.get(name)})
    try:
        return str(client.get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError):
        return "operator"
