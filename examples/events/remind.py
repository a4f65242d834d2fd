"""Reminds people by mail to reconnect: takes the events from the queue that subscribe.py made, and prints the mails it would send.

python remind.py        (reads STANDPIPE_URL, STANDPIPE_API_KEY, STANDPIPE_TOPIC_ARN and the AWS settings; Ctrl-C ends it)
"""

import json
import logging
import os
import sqlite3
import sys
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import localtime
from typing import Any
from urllib.parse import urlencode

import boto3
from workos import WorkOSClient

logging.basicConfig(format="%(asctime)s %(message)s")
log = logging.getLogger("remind")
log.setLevel(logging.INFO)

missing = [name for name in ("STANDPIPE_URL", "STANDPIPE_API_KEY", "STANDPIPE_TOPIC_ARN") if not os.environ.get(name)]
if missing:
    sys.exit(f"{', '.join(missing)} not set; make run writes it to .local/standpipe.env")
workos = WorkOSClient(api_key=os.environ["STANDPIPE_API_KEY"], client_id="standpipe", base_url=os.environ["STANDPIPE_URL"])
_, _, _, region, _, topic = os.environ["STANDPIPE_TOPIC_ARN"].split(":")
sqs = boto3.client("sqs", region_name=region)
page = os.environ.get("RECONNECT_PAGE", "https://app.example/settings/connections")

# The last event handled of each account. Of one account a later event has a greater id, so this one line answers both questions: was this
# event handled before, and was a later one? Where several of these run, make it a DynamoDB item and the UPSERT a put with the condition
# `attribute_not_exists(event) OR event < :event`.
handled = sqlite3.connect("handled.db")
handled.execute("CREATE TABLE IF NOT EXISTS handled (account TEXT PRIMARY KEY, event TEXT NOT NULL)")
UPSERT = "INSERT INTO handled VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET event = excluded.event WHERE event < excluded.event"


def handle(told: dict[str, Any]) -> None:
    """One event. If this fails or is killed at any point, SQS brings it again: so a mail may go twice, and none is forgotten."""
    event, data = told["id"], told["data"]
    last = handled.execute("SELECT event FROM handled WHERE account = ?", (data["id"],)).fetchone()
    if last and event <= last[0]:
        log.info("%s dropped: %s", event, "handled before" if event == last[0] else f"{last[0]} of the same account is later and was handled")
        return
    provider = as_it_is_now(data)
    if provider is None:
        log.info("%s dropped: it is no longer so", event)
    else:
        send(mail(told, provider))
        if os.environ.get("STANDPIPE_ENVIRONMENT") == "sandbox":
            # For you, instead of a click in a mail nobody gets. Nothing to log in production: who opens it first has it.
            log.info("%s sandbox link: %s", event, fresh_link(data))
    with handled:
        handled.execute(UPSERT, (data["id"], event))


def as_it_is_now(data: dict[str, Any]) -> dict[str, Any] | None:
    """The provider with the person's account, or None if they have reconnected or disconnected since: an event may be hours old."""
    organization = {"organization_id": data["organization_id"]} if data["organization_id"] else None
    answer = workos.request_raw("GET", ("user_management", "users", data["user_id"], "data_providers"), params=organization)
    # Of an account that is still connected, it also has to be the end that was announced: a later one is announced anew.
    facts = ["id", "state"] + (["reauthorization_expected_at"] if data["state"] == "connected" else [])
    return next((provider for provider in answer["data"] if (account := provider["connected_account"]) and all(account[fact] == data[fact] for fact in facts)), None)


def mail(told: dict[str, Any], provider: dict[str, Any]) -> EmailMessage:
    """The mail links to a page of yours and never carries a connect link: that lives ten minutes, and belongs to whoever opens it first."""
    data, account, name = told["data"], provider["connected_account"], provider["name"]
    query = {"reconnect": data["provider_slug"]} | ({"organization": data["organization_id"]} if data["organization_id"] else {})
    if data["state"] == "connected":
        subject = f"{name} asks for your consent again by {data['reauthorization_expected_at'][:10]}"
        why = f"Your connection to {name} works, and {name} ends it on {data['reauthorization_expected_at'][:10]}. Renew it before then and nothing stops."
    else:
        subject, why = f"Please reconnect {name}", account["message"]
    written = EmailMessage()
    written["From"] = Address("Acme", "no-reply", "app.example")
    written["To"] = Address(username=data["user_id"], domain="example.com")  # yours to look up: Standpipe knows no addresses
    written["Subject"] = subject
    written["Date"] = localtime()
    written["Message-ID"] = f"<{told['id']}@app.example>"  # sent twice it is the same mail, and most mailboxes show it once
    written["Auto-Submitted"] = "auto-generated"
    whose = f" ({account['account_display_name']})" if account["account_display_name"] else ""
    written.set_content(f"{why}\n\nReconnect {name}{whose} here:\n{page}?{urlencode(query)}\n", cte="8bit")
    return written


def send(written: EmailMessage) -> None:
    print(written.as_string(), flush=True)  # smtplib or SES in your product


def fresh_link(data: dict[str, Any]) -> str:
    """What your page does on the click, for the person who is signed in there."""
    return workos.pipes.authorize_data_integration(data["provider_slug"], user_id=data["user_id"], organization_id=data["organization_id"]).url


def main() -> None:
    queue = sqs.get_queue_url(QueueName=f"{topic}-mail")["QueueUrl"]
    log.info("waiting for events of %s", topic)
    while True:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=20).get("Messages", []):
            try:
                handle(json.loads(message["Body"]))
            except Exception:
                log.exception("left in the queue; after five times SQS moves it to %s-mail-dead", topic)
            else:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
