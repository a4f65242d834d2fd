"""Cases 52 and 53, R16: a stage changes its KMS key. What the former key sealed still opens, nothing is sealed with it any more, and no third key is ever asked.

At the embedded AWS, whose keys can really be disabled.
"""

from collections.abc import Callable
from typing import Any, get_args

import aws_encryption_sdk as sdk
import boto3
import pytest
from aws_encryption_sdk.identifiers import AlgorithmSuite, CommitmentPolicy
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.domain.errors import IntegrityError, Unavailable
from chalicelib.domain.models import Owner
from chalicelib.doors.crypto import Facts, Mode, Sealer
from tests.cloud import REGION, Cloud, free_port

MODES: tuple[Mode, ...] = get_args(Mode)
A = Facts("data_installation_A", "tokens", 3, Owner(user_id="alice"))
VALUE = {"access_token": "canary-Zx81", "refresh_token": "ü✓ +/"}


class Kms:
    """Keys of one account, and what is asked of them."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.former, self.current, self.stranger = (str(client.create_key()["KeyMetadata"]["Arn"]) for _ in range(3))
        self.asked: list[tuple[str, str]] = []
        client.meta.events.register("provide-client-params.kms", self._note)

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name in ("Encrypt", "Decrypt", "GenerateDataKey"):
            self.asked.append((model.name, params["KeyId"]))

    def before(self, mode: Mode = "bound") -> Sealer:
        """A function from before the change."""
        return Sealer(self.client, self.former, "prod", mode)

    def after(self, mode: Mode = "bound") -> Sealer:
        return Sealer(self.client, self.current, "prod", mode, (self.former,))

    def by(self, arn: str) -> bytes:
        return Sealer(self.client, arn, "prod", "bound").seal(VALUE, A)


@pytest.fixture
def kms(cloud: Cloud) -> Kms:
    return Kms(cloud.client_of_its_own("kms"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("earlier_mode", MODES)
def test_case_53_what_a_former_key_sealed_still_opens(kms: Kms, earlier_mode: Mode, mode: Mode) -> None:
    blob = kms.before(earlier_mode).seal(VALUE, A)

    assert kms.after(mode).open(blob, A) == VALUE


@pytest.mark.parametrize("mode", MODES)
def test_case_53_nothing_is_sealed_with_a_former_key(kms: Kms, mode: Mode) -> None:
    sealer, old = kms.after(mode), kms.by(kms.former)
    kms.asked.clear()
    sealer.open(old, A)
    blob = sealer.seal(VALUE, A)

    assert kms.asked == [("Decrypt", kms.former), ("GenerateDataKey", kms.current)]
    assert Sealer(kms.client, kms.current, "prod", mode).open(blob, A) == VALUE


@pytest.mark.parametrize("mode", MODES)
def test_case_53_while_functions_are_replaced_each_opens_what_the_other_sealed(kms: Kms, mode: Mode) -> None:
    """For that, those from before know the new key already, as one to open with."""
    earlier, later = Sealer(kms.client, kms.former, "prod", mode, (kms.current,)), kms.after(mode)

    assert later.open(earlier.seal(VALUE, A), A) == earlier.open(later.seal(VALUE, A), A) == VALUE
    assert earlier.key_of(earlier.seal(VALUE, A)) == kms.former


def test_a_key_that_is_listed_twice_is_asked_once(kms: Kms) -> None:
    blob = kms.by(kms.current)
    kms.asked.clear()

    assert Sealer(kms.client, kms.current, "prod", "bound", (kms.current, kms.former, kms.former)).open(blob, A) == VALUE
    assert kms.asked == [("Decrypt", kms.current)]


def test_a_blob_tells_its_key_without_kms(kms: Kms) -> None:
    blobs = [kms.by(arn) for arn in (kms.former, kms.current, kms.stranger)]
    kms.asked.clear()
    sealer = kms.after()

    assert [sealer.key_of(blob) for blob in blobs] == [kms.former, kms.current, kms.stranger]
    assert [sealer.is_current(blob) for blob in blobs] == [False, True, False]
    assert [sealer.key_of(blob) for blob in (b"", b"\x02", b"plain text", bytes(1000), blobs[0][:40])] == [None] * 5
    assert kms.asked == []


@pytest.mark.parametrize("formers", [(), ("former",)], ids=["no former key", "another former key"])
def test_r16_case_52_a_key_that_is_not_listed_is_not_asked(kms: Kms, formers: tuple[str, ...]) -> None:
    blob = kms.by(kms.stranger)
    kms.asked.clear()
    sealer = Sealer(kms.client, kms.current, "prod", "bound", tuple(getattr(kms, name) for name in formers))

    with pytest.raises(IntegrityError):
        sealer.open(blob, A)
    assert kms.asked == []


def test_r16_case_52_a_former_key_that_was_taken_off_the_list_opens_nothing(kms: Kms) -> None:
    blob = kms.by(kms.former)

    with pytest.raises(IntegrityError):
        Sealer(kms.client, kms.current, "prod", "bound").open(blob, A)


def test_r16_case_52_a_blob_that_names_another_key_than_sealed_it_does_not_open(kms: Kms) -> None:
    """Whoever can write to the table can write any name."""
    blob = kms.by(kms.former)
    forged = blob.replace(kms.former.encode(), kms.current.encode())

    assert forged != blob and kms.after().key_of(forged) == kms.current
    with pytest.raises(IntegrityError):
        kms.after().open(forged, A)


def test_r16_case_52_a_blob_with_a_data_key_of_each_is_refused(kms: Kms) -> None:
    keys = sdk.StrictAwsKmsMasterKeyProvider(key_ids=[kms.current, kms.former])
    client = sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    blob, _ = client.encrypt(source=b"{}", key_provider=keys, encryption_context={"standpipe:stage": "prod"}, algorithm=AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY)

    assert kms.after().key_of(blob) is None
    with pytest.raises(IntegrityError):
        kms.after().open(blob, A)


MOVED = {
    "another connection": Facts("data_installation_B", "tokens", 3, A.owner),
    "another owner": Facts("data_installation_A", "tokens", 3, Owner(user_id="bob")),
    "another field": Facts("data_installation_A", "client_secret", 3, A.owner),
    "an older generation": Facts("data_installation_A", "tokens", 2, A.owner),
}


@pytest.mark.parametrize("facts", MOVED.values(), ids=MOVED)
def test_r16_case_52_what_a_former_key_sealed_opens_only_where_it_belongs(kms: Kms, facts: Facts) -> None:
    with pytest.raises(IntegrityError):
        kms.after().open(kms.by(kms.former), facts)


@pytest.mark.parametrize("sealed_with", ["former", "current"])
def test_r16_case_52_each_flipped_byte_is_noticed_with_two_keys(kms: Kms, sealed_with: str) -> None:
    sealer, blob = kms.after(), kms.by(getattr(kms, sealed_with))
    sealer.open(blob, A)
    unnoticed = []
    for position in range(len(blob)):
        damaged = bytearray(blob)
        damaged[position] ^= 1 << position % 8
        try:
            sealer.open(bytes(damaged), A)
        except IntegrityError:
            continue
        unnoticed.append(position)

    assert unnoticed == []


# a key that cannot be used


def disabled(kms: Kms, arn: str) -> None:
    kms.client.disable_key(KeyId=arn)


def pending_deletion(kms: Kms, arn: str) -> None:
    kms.client.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)


UNUSABLE: dict[str, Callable[[Kms, str], None]] = {"disabled": disabled, "pending deletion": pending_deletion}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("broken", UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize("which", ["former", "current"])
def test_r16_case_52_a_key_that_cannot_be_used_is_unavailable_and_the_other_goes_on(kms: Kms, mode: Mode, broken: Callable[[Kms, str], None], which: str) -> None:
    """An operator can enable it again: a verdict over a connection could not be taken back."""
    blobs = {name: kms.by(getattr(kms, name)) for name in ("former", "current")}
    other = "current" if which == "former" else "former"
    broken(kms, getattr(kms, which))
    sealer = kms.after(mode)

    with pytest.raises(Unavailable) as caught:
        sealer.open(blobs[which], A)
    assert caught.value.code == "key_unavailable" and caught.value.retry_after
    assert sealer.open(blobs[other], A) == VALUE
    if which == "current":
        with pytest.raises(Unavailable):
            sealer.ready(A)
    else:
        assert sealer.is_current(sealer.seal(VALUE, A))


@pytest.mark.parametrize("mode", MODES)
def test_r16_case_52_once_a_key_is_enabled_again_everything_opens(kms: Kms, mode: Mode) -> None:
    blob, sealer = kms.by(kms.former), kms.after(mode)
    kms.client.disable_key(KeyId=kms.former)
    with pytest.raises(Unavailable):
        sealer.open(blob, A)
    kms.client.enable_key(KeyId=kms.former)

    assert sealer.open(blob, A) == VALUE


@pytest.mark.parametrize("code", ["NotFoundException", "AccessDeniedException"])
def test_r16_case_52_a_former_key_that_is_gone_or_not_allowed_is_unavailable(kms: Kms, code: str) -> None:
    """The functions' role has to list it too."""
    blob = kms.by(kms.former)

    def refuse(model: Any, **_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "canary"}}, model.name)

    kms.client.meta.events.register("before-call.kms.Decrypt", refuse)
    with pytest.raises(Unavailable) as caught:
        kms.after().open(blob, A)
    assert caught.value.code == "key_unavailable" and "canary" not in caught.value.message


@pytest.mark.parametrize("sealed_with", ["former", "current"])
def test_r16_case_52_a_key_service_out_of_reach_is_unavailable_for_either_key(kms: Kms, sealed_with: str) -> None:
    blob = kms.by(getattr(kms, sealed_with))
    nowhere = boto3.client("kms", endpoint_url=f"http://127.0.0.1:{free_port()}", region_name=REGION, config=Config(retries={"max_attempts": 1}))

    with pytest.raises(Unavailable):
        Sealer(nowhere, kms.current, "prod", "bound", (kms.former,)).open(blob, A)
