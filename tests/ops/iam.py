"""The role of the template, resolved for one stage, and IAM's answer to one call: strict, so that what it does not know it refuses to judge."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).resolve().parents[2] / ".chalice" / "resources.json"
ACCOUNT, REGION = "000000000000", "us-east-1"
NOTHING = object()  # AWS::NoValue
# What a transaction needs is what its parts need; there is no action for the transaction itself.
PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem", "Get": "GetItem"}


@dataclass(frozen=True)
class Call:
    """One thing asked of AWS, as IAM sees it: an action, on a resource, with keys that conditions may ask for."""

    action: str
    resource: str
    context: dict[str, str] = field(default_factory=dict)


def calls_of(service: str, operation: str, request: dict[str, Any], region: str = REGION) -> Iterator[Call]:
    """What IAM is asked for one SDK call. Raises AssertionError for a service nobody has thought about."""
    if service == "dynamodb":
        items = [(PARTS[kind], part) for item in request.get("TransactItems", []) for kind, part in item.items()] or [(operation, request)]
        for name, part in items:
            arn = f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{part['TableName']}"
            yield Call(f"dynamodb:{name}", f"{arn}/index/{part['IndexName']}" if "IndexName" in part else arn, _leading_key(part))
    elif service == "kms":
        context = {f"kms:EncryptionContext:{name}": value for name, value in request.get("EncryptionContext", {}).items()}
        yield Call(f"kms:{operation}", request.get("KeyId", "the key is not named"), context)
    elif service == "ssm":
        yield Call(f"ssm:{operation}", f"arn:aws:ssm:{region}:{ACCOUNT}:parameter{request['Name']}")
    elif service == "sns":
        yield Call(f"sns:{operation}", request["TopicArn"])
    elif service == "sqs":
        # A batch is granted as its single call.
        yield Call(f"sqs:{operation.removesuffix('Batch')}", f"arn:aws:sqs:{region}:{ACCOUNT}:{request['QueueUrl'].rsplit('/', 1)[-1]}")
    else:
        raise AssertionError(f"{service}:{operation} is called, and this test does not know what IAM asks for it")


def _leading_key(part: dict[str, Any]) -> dict[str, str]:
    """The partition key that one request, or one part of a transaction, names."""
    condition = re.match(r"pk = (:\w+)", part.get("KeyConditionExpression", ""))
    key = part["ExpressionAttributeValues"][condition[1]] if condition else part.get("Key", part.get("Item", {})).get("pk")
    return {"dynamodb:LeadingKeys": key["S"]} if key else {}


class Role:
    """One role of the template as CloudFormation makes it for a stage."""

    def __init__(self, name: str, stage: str, environment: str, key_arn: str, former_keys: list[str] | None = None) -> None:
        template = json.loads(TEMPLATE.read_text())
        table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/standpipe-{stage}"
        self._known = {
            "Stage": stage,
            "Environment": environment,
            "FormerKeyArns": ",".join(former_keys or []),
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::NoValue": NOTHING,
            "Table.Arn": table,
            "Key.Arn": key_arn,
            "Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:standpipe-{stage}-events",
            **{f"{queue.capitalize()}Queue.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:standpipe-{stage}-{queue}" for queue in ("refresh", "rescue", "revoke", "webhook")},
            **{
                f"{function.capitalize()}Log.Arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/standpipe-{stage}-{function}:*"
                for function in ("sweep", "refresh", "rescue", "revoke", "webhook", "repair")
            },
            "ApiLog.Arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/standpipe-{stage}:*",
        }
        self._conditions = template["Conditions"]
        policies = self._resolved(template["Resources"][name]["Properties"]["Policies"])
        self.statements: list[dict[str, Any]] = [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]

    def grants(self) -> Iterator[tuple[str, str]]:
        """Every action on every resource that is allowed."""
        for statement in self.statements:
            yield from ((action, resource) for action in _listed(statement["Action"]) for resource in _listed(statement["Resource"]))

    def allows(self, call: Call) -> bool:
        return any(_applies(statement, call) for statement in self.statements)

    def used_by(self, call: Call) -> set[tuple[str, str]]:
        """The grants that let this call through."""
        one = [{**s, "Action": a, "Resource": r} for s in self.statements for a in _listed(s["Action"]) for r in _listed(s["Resource"])]
        return {(statement["Action"], statement["Resource"]) for statement in one if _applies(statement, call)}

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, list):
            return [found for part in value if (found := self._resolved(part)) is not NOTHING]
        if not isinstance(value, dict):
            return value
        match value:
            case {"Ref": name}:
                return self._known[name]
            case {"Fn::GetAtt": [resource, attribute]}:
                return self._known[f"{resource}.{attribute}"]
            case {"Fn::Sub": str(text)}:
                for name, known in self._known.items():
                    text = text.replace(f"${{{name}}}", str(known))
                assert "${" not in text, text
                return text
            case {"Fn::If": [condition, yes, no]}:
                return self._resolved(yes if self._resolved(self._conditions[condition]) else no)
            case {"Fn::Equals": [left, right]}:
                return self._resolved(left) == self._resolved(right)
            case {"Fn::Not": [condition]}:
                return not self._resolved(condition)
            case {"Fn::Split": [str(between), joined]}:
                return self._resolved(joined).split(between)
        assert not any(name.startswith(("Fn::", "Ref")) for name in value), value
        return {name: found for name, part in value.items() if (found := self._resolved(part)) is not NOTHING}


def _applies(statement: dict[str, Any], call: Call) -> bool:
    unknown = statement.keys() - {"Sid", "Effect", "Action", "Resource", "Condition"}
    assert not unknown and statement["Effect"] == "Allow", f"this matcher does not know {unknown or statement['Effect']}"
    named = any(action.lower() == call.action.lower() for action in _listed(statement["Action"]))  # exact: an action with a wildcard is never right here
    placed = any(fnmatchcase(call.resource, resource) for resource in _listed(statement["Resource"]))
    return named and placed and all(_holds(operator, wanted, call.context) for operator, wanted in statement.get("Condition", {}).items())


def _holds(operator: str, wanted: dict[str, Any], context: dict[str, str]) -> bool:
    assert operator in ("StringEquals", "ForAllValues:StringEquals", "ForAllValues:StringLike"), f"this matcher does not know {operator}"
    same = fnmatchcase if operator.endswith("Like") else str.__eq__
    # Of a set IAM would let pass what names no key at all; here every request has to name one.
    return all(name in context and any(same(context[name], value) for value in _listed(values)) for name, values in wanted.items())


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
