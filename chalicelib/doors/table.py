"""The door to DynamoDB: items, conditions, and the write id that tells a lost answer from a lost race.

Every conditional write stores its own `write_id` and asks for the old item on failure. If that item carries our write id, the
write was applied and only its answer was lost (botocore retries by itself): that is a success, not a lost race.
"""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.events import timestamp

Item = dict[str, Any]
Key = dict[str, str]


class LostRace(Exception):
    """A condition failed and the write was not ours. `item` is what is there instead, or None if nothing is."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("another writer was first")
        self.item = item


def encode(value: Any) -> dict[str, Any]:
    """A plain value as a DynamoDB attribute value."""
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case datetime():
            return {"S": timestamp(value.astimezone(UTC))}
        case list() | tuple():
            return {"L": [encode(part) for part in value]}
        case dict():
            return {"M": {name: encode(part) for name, part in value.items()}}
    raise TypeError(f"no DynamoDB form for {type(value).__name__}")


def decode(attribute: dict[str, Any]) -> Any:
    """The plain value of an attribute value; numbers are whole."""
    ((kind, value),) = attribute.items()
    if kind == "N":
        return int(value)
    if kind == "L":
        return [decode(part) for part in value]
    if kind == "M":
        return {name: decode(part) for name, part in value.items()}
    return value


def decode_item(item: dict[str, Any]) -> Item:
    return {name: decode(attribute) for name, attribute in item.items()}


def new_write_id() -> str:
    return uuid.uuid4().hex


class Table:
    """One DynamoDB table. Reads are strongly consistent; every error that is not a condition becomes Unavailable."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Key) -> Item | None:
        raw = self._call("get_item", Key=_encode_all(key), ConsistentRead=True).get("Item")
        return decode_item(raw) if raw else None

    def update(self, key: Key, sets: Item, *, removes: tuple[str, ...] = (), condition: str, values: Item | None = None, write_id: str | None = None) -> Item:
        """Conditional update; `#name` in the condition is any attribute. Returns the whole item after it. Raises LostRace."""
        write_id = write_id or new_write_id()
        request = _update_request(key, {**sets, "write_id": write_id}, removes, condition, values or {})
        try:
            answer = self._call("update_item", ReturnValues="ALL_NEW", **request)
        except ClientError as error:
            old = _old_item(error.response)
            if old is not None and old.get("write_id") == write_id:
                return old
            raise LostRace(old) from None
        return decode_item(answer["Attributes"])

    def note(self, key: Key, sets: Item, *, condition: str, values: Item) -> None:
        """A conditional update that leaves no write id, because it may fall between another's write and that one's second try. Raises LostRace."""
        try:
            self._call("update_item", **_update_request(key, sets, (), condition, values))
        except ClientError as error:
            raise LostRace(_old_item(error.response)) from None

    def put(self, key: Key, item: Item, *, condition: str | None = None, values: Item | None = None) -> None:
        """Writes a whole item. Raises LostRace if the condition fails and the item there is not the one of this write."""
        write_id = new_write_id()
        request: Item = {"Item": _encode_all({**item, **key, "write_id": write_id})}
        if condition:
            request |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
            if values:
                request["ExpressionAttributeValues"] = {f":{name}": encode(value) for name, value in values.items()}
        try:
            self._call("put_item", **request)
        except ClientError as error:
            old = _old_item(error.response)
            if old is None or old.get("write_id") != write_id:
                raise LostRace(old) from None

    def delete(self, key: Key, *, condition: str | None = None, values: Item | None = None) -> Item | None:
        """Deletes; returns what was there. Raises LostRace if the condition fails."""
        request: Item = {"Key": _encode_all(key), "ReturnValues": "ALL_OLD"}
        if condition:
            request |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
            if values:
                request["ExpressionAttributeValues"] = {f":{name}": encode(value) for name, value in values.items()}
        try:
            old = self._call("delete_item", **request).get("Attributes")
        except ClientError as error:
            raise LostRace(_old_item(error.response)) from None
        return decode_item(old) if old else None

    def update_with_rows(self, key: Key, sets: Item, *, removes: tuple[str, ...], condition: str, values: Item, rows: list[Item], write_id: str) -> None:
        """One transaction: the conditional update of `key` and new `rows` beside it. All or nothing. Raises LostRace.

        The client request token makes a repeat of the same transaction within ten minutes a success without effect.
        """
        update = _update_request(key, {**sets, "write_id": write_id}, removes, condition, values)
        items = [{"Update": {"TableName": self._name, **update}}]
        items += [{"Put": {"TableName": self._name, "Item": _encode_all(row), "ConditionExpression": "attribute_not_exists(pk)"}} for row in rows]
        try:
            self._send("transact_write_items", TransactItems=items, ClientRequestToken=write_id)
        except ClientError as error:
            reasons = error.response.get("CancellationReasons", [])
            old = decode_item(reasons[0]["Item"]) if reasons and reasons[0].get("Item") else None
            if old is not None and old.get("write_id") == write_id:
                return
            raise LostRace(old) from None

    def query(self, condition: str, values: Item, *, index: str | None = None, forward: bool = True, page_size: int | None = None) -> Iterator[Item]:
        """Every item of a key condition, page by page; a `page_size` is for a reader who may stop early."""
        request: Item = {"KeyConditionExpression": condition, "ExpressionAttributeValues": {f":{name}": encode(value) for name, value in values.items()}, "ScanIndexForward": forward}
        request |= {"IndexName": index} if index else {"ConsistentRead": True}
        request |= {"Limit": page_size} if page_size else {}
        while True:
            page = self._call("query", **request)
            yield from map(decode_item, page["Items"])
            if not page.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def scan(self, start: Key | None, *, limit: int) -> tuple[list[Item], Key | None]:
        """One page of the whole table, not strongly read, and where the next begins; None = that was the last. Only for what may take hours."""
        request: Item = {"Limit": limit}
        if start is not None:
            request["ExclusiveStartKey"] = _encode_all(start)
        page = self._call("scan", **request)
        last = page.get("LastEvaluatedKey")
        return [decode_item(raw) for raw in page["Items"]], decode_item(last) if last else None

    def _call(self, operation: str, **request: Any) -> Any:
        return self._send(operation, TableName=self._name, **request)

    def _send(self, operation: str, **request: Any) -> Any:
        try:
            return getattr(self._client, operation)(**request)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code == "ConditionalCheckFailedException":
                raise
            if code == "TransactionCanceledException" and any(reason.get("Code") == "ConditionalCheckFailed" for reason in error.response.get("CancellationReasons", [])):
                raise
            raise Unavailable(f"The table did not answer ({code}). Nothing was changed; try again.", "storage_unavailable") from error
        except BotoCoreError as error:
            raise Unavailable(f"The table could not be reached ({type(error).__name__}). Try again.", "storage_unavailable") from error


def _encode_all(values: Item) -> dict[str, Any]:
    return {name: encode(value) for name, value in values.items() if value is not None}


def _old_item(response: Any) -> Item | None:
    raw = response.get("Item")
    return decode_item(raw) if raw else None


def _update_request(key: Key, sets: Item, removes: tuple[str, ...], condition: str, values: Item) -> dict[str, Any]:
    assignments = ", ".join(f"#{name} = :set_{name}" for name in sets)
    dropped = ", ".join(f"#{name}" for name in removes)
    return {
        "Key": _encode_all(key),
        "UpdateExpression": f"SET {assignments}" + (f" REMOVE {dropped}" if dropped else ""),
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {f"#{name}": name for name in {*sets, *removes, *re.findall(r"#(\w+)", condition)}},
        "ExpressionAttributeValues": {f":set_{name}": encode(value) for name, value in sets.items()} | {f":{name}": encode(value) for name, value in values.items()},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
