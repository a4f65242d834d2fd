"""Subscribes two consumers to Standpipe's events: a queue for remind.py, and a Lambda function for the operators' chat.

python subscribe.py              (reads STANDPIPE_TOPIC_ARN and the AWS settings; run it again after a change, nothing is made twice)
python subscribe.py --remove     everything it made, with what is still in the queues
"""

import io
import json
import os
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import boto3

# SNS compares these with a message's attributes and delivers only what matches; `provider` and `organization_id` can be named as well.
FOR_PEOPLE = {"event": ["pipes.connected_account.reauthorization_needed", "pipes.connected_account.reauthorization_expected"]}
FOR_OPERATORS = {"event": ["provider.misconfigured", "pipes.connected_account.degraded"]}

topic = os.environ.get("STANDPIPE_TOPIC_ARN") or sys.exit("STANDPIPE_TOPIC_ARN is not set; make run writes it to .local/standpipe.env")
_, partition, _, region, account, name = topic.split(":")
MAIL, DEAD, OPERATORS = f"{name}-mail", f"{name}-mail-dead", f"{name}-operators"
LOGGING = f"arn:{partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
sns, sqs, lambdas, iam, logs = (boto3.client(service, region_name=region) for service in ("sns", "sqs", "lambda", "iam", "logs"))


def arn(service: str, resource: str) -> str:
    return f"arn:{partition}:{service}:{region}:{account}:{resource}"


QUEUE, FUNCTION = arn("sqs", MAIL), arn("lambda", f"function:{OPERATORS}")


def make_queue() -> None:
    """The queue, a second one for what fails five times, and a policy that lets this topic and nobody else send."""
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": QUEUE, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}
    mail = {
        "VisibilityTimeout": "300",  # longer than remind.py takes for ten messages, else it would be given the last of them again
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn("sqs", DEAD), "maxReceiveCount": "5"}),
        "Policy": json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    }
    for queue, attributes in ((DEAD, {"MessageRetentionPeriod": "1209600"}), (MAIL, mail)):
        # Made bare and then set: asking for a queue that exists with other attributes is an error.
        sqs.set_queue_attributes(QueueUrl=sqs.create_queue(QueueName=queue)["QueueUrl"], Attributes=attributes)


def make_function() -> None:
    """The function of lambda_function.py, a role that may write its log and nothing else, and this topic's permission to call it."""
    file = zipfile.ZipInfo("lambda_function.py")  # without the file's date: the same code is the same package
    file.external_attr = 0o644 << 16
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(file, (Path(__file__).parent / "lambda_function.py").read_bytes())
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=OPERATORS, AssumeRolePolicyDocument=json.dumps(trust))
    iam.attach_role_policy(RoleName=OPERATORS, PolicyArn=LOGGING)
    role = iam.get_role(RoleName=OPERATORS)["Role"]["Arn"]
    for tries_left in range(11, -1, -1):
        try:
            lambdas.create_function(FunctionName=OPERATORS, Runtime="python3.13", Handler="lambda_function.lambda_handler", Role=role, Timeout=10, Code={"ZipFile": package.getvalue()})
            break
        except lambdas.exceptions.ResourceConflictException:
            lambdas.update_function_code(FunctionName=OPERATORS, ZipFile=package.getvalue())
            break
        except lambdas.exceptions.InvalidParameterValueException:
            if not tries_left:
                raise
            time.sleep(5)  # a new role takes some seconds until Lambda may use it
    for settled in ("function_active_v2", "function_updated_v2"):
        lambdas.get_waiter(settled).wait(FunctionName=OPERATORS)
    with suppress(lambdas.exceptions.ResourceConflictException):
        lambdas.add_permission(FunctionName=OPERATORS, StatementId="events", Action="lambda:InvokeFunction", Principal="sns.amazonaws.com", SourceArn=topic)


def subscription(endpoint: str) -> str | None:
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    return next((found["SubscriptionArn"] for page in pages for found in page["Subscriptions"] if found["Endpoint"] == endpoint), None)


def subscribe(protocol: str, endpoint: str, policy: dict[str, list[str]], **more: str) -> None:
    """With its filter from the first message on; a subscription that is there already is given the filter of today."""
    attributes = {"FilterPolicy": json.dumps(policy), **more}
    if found := subscription(endpoint):
        for attribute, value in attributes.items():
            sns.set_subscription_attributes(SubscriptionArn=found, AttributeName=attribute, AttributeValue=value)
    else:
        sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes=attributes)


def remove() -> None:
    """What is gone already is passed over, the topic too."""
    for endpoint in (QUEUE, FUNCTION):
        with suppress(sns.exceptions.NotFoundException):
            if found := subscription(endpoint):
                sns.unsubscribe(SubscriptionArn=found)
    for queue in (MAIL, DEAD):
        with suppress(sqs.exceptions.QueueDoesNotExist):
            sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"])
    with suppress(lambdas.exceptions.ResourceNotFoundException):
        lambdas.delete_function(FunctionName=OPERATORS)
    with suppress(logs.exceptions.ResourceNotFoundException):
        logs.delete_log_group(logGroupName=f"/aws/lambda/{OPERATORS}")
    with suppress(iam.exceptions.NoSuchEntityException):
        iam.detach_role_policy(RoleName=OPERATORS, PolicyArn=LOGGING)
    with suppress(iam.exceptions.NoSuchEntityException):
        iam.delete_role(RoleName=OPERATORS)


if sys.argv[1:] == ["--remove"]:
    remove()
    print(f"{name}: both consumers are removed")
elif not sys.argv[1:]:
    make_queue()
    make_function()
    subscribe("sqs", QUEUE, FOR_PEOPLE, RawMessageDelivery="true")  # the event itself, without SNS's envelope around it
    subscribe("lambda", FUNCTION, FOR_OPERATORS)
    print(f"{name} delivers\n  to the queue {MAIL}: {', '.join(FOR_PEOPLE['event'])}\n  to the function {OPERATORS}: {', '.join(FOR_OPERATORS['event'])}")
else:
    sys.exit("usage: python subscribe.py [--remove]")
