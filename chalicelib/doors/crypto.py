"""The door to aws-encryption-sdk and KMS: `seal` and `open`, bound to the facts of what is sealed.

The payload carries its subject, field and generation, and all are checked on open, in every mode: the SDK by itself decrypts a
blob moved from one row to another happily. Sealing never depends on a call after `ready`: a provider is only asked for a new
token once the data key that will protect it is in hand.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import aws_encryption_sdk
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError, DecryptKeyError, GenerateKeyError, InvalidKeyIdError
from aws_encryption_sdk.identifiers import AlgorithmSuite, CommitmentPolicy
from aws_encryption_sdk.key_providers.base import MasterKeyProvider, MasterKeyProviderConfig
from aws_encryption_sdk.key_providers.kms import KMSMasterKey
from aws_encryption_sdk.materials_managers import EncryptionMaterials, EncryptionMaterialsRequest
from aws_encryption_sdk.materials_managers.base import CryptoMaterialsManager
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain import ids
from chalicelib.domain.errors import IntegrityError, Unavailable
from chalicelib.domain.models import Connection, Owner

Mode = Literal["audited", "bound", "shared"]
# Key commitment, no signature: the same functions write and read, and signing costs five times the rest.
SUITE = AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
POLICY = CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
FRAME_LENGTH = 4096
CACHE_SECONDS = 300.0
CACHE_KEYS = 1000
SHARED_KEY_MESSAGES = 10_000
_DAMAGED = {"InvalidCiphertextException", "IncorrectKeyException"}


@dataclass(frozen=True)
class Facts:
    """What a blob belongs to. `subject` is the id of a connection, registration or pending authorization."""

    subject: str
    field: str
    generation: int = 0
    owner: Owner | None = None


def token_facts(connection: Connection, generation: int | None = None) -> Facts:
    """The facts of a connection's tokens, of this generation or the next."""
    return Facts(connection.id, "tokens", connection.generation if generation is None else generation, connection.owner)


class _Key(KMSMasterKey):
    """One KMS key, by ARN; data keys of any other key are not even tried.

    The SDK folds every failure of KMS into one error; a key that is disabled or a KMS that is down must not look like a damaged blob.
    """

    def _decrypt_data_key(self, encrypted_data_key: Any, algorithm: Any, encryption_context: Any = None) -> Any:
        try:
            return super()._decrypt_data_key(encrypted_data_key, algorithm, encryption_context)
        except (DecryptKeyError, BotoCoreError) as error:
            unavailable = _unavailable(error)
            if unavailable is None:
                raise
            raise unavailable from error


class _Keys(MasterKeyProvider):
    """The keys a blob may have been sealed with. Each data key is tried with the key it names, if that is one of these, and with no other."""

    provider_id = _Key.provider_id
    vend_masterkey_on_decrypt = False  # a key that is not listed is not made for the occasion
    _config_class = MasterKeyProviderConfig

    def _new_master_key(self, key_id: Any) -> NoReturn:
        raise InvalidKeyIdError("only the listed keys are used")


class _Look(CryptoMaterialsManager):
    """Notes the KMS key that a message names, and goes no further."""

    def __init__(self) -> None:
        self.key_arn: str | None = None

    def get_encryption_materials(self, request: Any) -> Any:
        raise NotImplementedError

    def decrypt_materials(self, request: Any) -> NoReturn:
        (data_key,) = request.encrypted_data_keys
        self.key_arn = data_key.key_provider.key_info.decode()
        raise InvalidKeyIdError("looked at, not opened")


class _Once(CryptoMaterialsManager):
    """Hands out materials fetched beforehand, for one message."""

    def __init__(self, materials: EncryptionMaterials) -> None:
        self._materials: EncryptionMaterials | None = materials

    def get_encryption_materials(self, request: Any) -> EncryptionMaterials:
        if self._materials is None:
            raise RuntimeError("a data key made ready is used for one message only")
        materials, self._materials = self._materials, None
        return materials

    def decrypt_materials(self, request: Any) -> Any:
        raise NotImplementedError


class Ready:
    """A data key in hand for one blob: sealing with it needs no network."""

    def __init__(self, client: Any, materials: EncryptionMaterials, context: dict[str, str], facts: Facts) -> None:
        self._client, self._manager, self._context, self._facts = client, _Once(materials), context, facts

    def seal(self, value: dict[str, Any]) -> bytes:
        payload = {"subject": self._facts.subject, "field": self._facts.field, "generation": self._facts.generation, "value": value}
        blob, _header = self._client.encrypt(
            source=json.dumps(payload, separators=(",", ":")).encode(),
            materials_manager=self._manager,
            encryption_context=self._context,
            algorithm=SUITE,
            frame_length=FRAME_LENGTH,
        )
        return bytes(blob)


class Sealer:
    """Seals and opens for one stage. `kms` is a low-level KMS client; it is called with connect and read limits of its own.

    Sealed is with the current key alone; what a former key sealed still opens, so that a stage can change its key while it runs. One
    client serves all keys, so they are of one region.
    """

    def __init__(self, kms: Any, key_arn: str, stage: str, mode: Mode, former_key_arns: tuple[str, ...] = ()) -> None:
        self._stage, self._mode, self._key_arn = stage, mode, key_arn
        # One data key a message, and as many on open: a blob with more was not written here.
        self._client = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=POLICY, max_encrypted_data_keys=1)
        current = _Key(key_id=key_arn, client=kms)
        seals = aws_encryption_sdk.DefaultCryptoMaterialsManager(master_key_provider=current)
        opens = aws_encryption_sdk.DefaultCryptoMaterialsManager(master_key_provider=_any_of(current, *(_Key(key_id=arn, client=kms) for arn in former_key_arns)))
        self._manager = opens if mode == "audited" else _cached(opens, f"{stage}:open")
        self._seal_manager = _cached(seals, f"{stage}:seal") if mode == "shared" else seals

    def ready(self, facts: Facts) -> Ready:
        """Gets a data key now, so that sealing cannot fail later. Raises Unavailable."""
        context = self._context(facts)
        request = EncryptionMaterialsRequest(encryption_context=context, frame_length=FRAME_LENGTH, commitment_policy=POLICY, algorithm=SUITE, plaintext_length=1024)
        try:
            materials = self._seal_manager.get_encryption_materials(request)
        except (GenerateKeyError, BotoCoreError, ClientError) as error:
            raise _unavailable(error) or Unavailable("The encryption key cannot be used now. Nothing was changed; try again.", "key_unavailable") from error
        return Ready(self._client, materials, context, facts)

    def seal(self, value: dict[str, Any], facts: Facts) -> bytes:
        """`value` as a blob that opens for exactly these facts. Raises Unavailable."""
        return self.ready(facts).seal(value)

    def open(self, blob: bytes, facts: Facts) -> dict[str, Any]:
        """What was sealed. Raises IntegrityError if it was not sealed for these facts, Unavailable if KMS does not answer."""
        try:
            plaintext, header = self._client.decrypt(source=blob, materials_manager=self._manager)
        except Unavailable:
            raise
        except (AWSEncryptionSDKClientError, DecryptKeyError) as error:
            raise IntegrityError(f"{facts.field} of {facts.subject} does not open: {type(error).__name__}") from None
        except Exception as error:  # noqa: BLE001
            # A damaged header fails in the SDK's parser with whatever the bytes happen to provoke.
            raise IntegrityError(f"{facts.field} of {facts.subject} is damaged: {type(error).__name__}") from None
        # Either form is as strict, because the payload is checked as well: so a stage may change its mode at any time.
        if dict(header.encryption_context) not in (self._shared_context(facts), self._bound_context(facts)):
            raise IntegrityError(f"{facts.field} of {facts.subject} was sealed for something else")
        payload = json.loads(plaintext)
        if (payload["subject"], payload["field"], payload["generation"]) != (facts.subject, facts.field, facts.generation):
            raise IntegrityError(f"{facts.field} of {facts.subject} is of another generation or place")
        value: dict[str, Any] = payload["value"]
        return value

    def key_of(self, blob: bytes) -> str | None:
        """ARN of the KMS key a blob says it was sealed with, told without asking KMS; None if it is no blob. Only `open` shows whether that is true."""
        look = _Look()
        with suppress(Exception):
            _ = self._client.stream(mode="decrypt-unsigned", source=blob, materials_manager=look).header
        return look.key_arn

    def is_current(self, blob: bytes) -> bool:
        """Whether it was sealed with the key that seals now."""
        return self.key_of(blob) == self._key_arn

    def _context(self, facts: Facts) -> dict[str, str]:
        return self._shared_context(facts) if self._mode == "shared" else self._bound_context(facts)

    def _shared_context(self, facts: Facts) -> dict[str, str]:
        return {"standpipe:stage": self._stage, "standpipe:purpose": facts.field}

    def _bound_context(self, facts: Facts) -> dict[str, str]:
        """Ids and hashes only: the context stands in clear in the blob and in CloudTrail."""
        context = {"standpipe:stage": self._stage, "standpipe:subject": facts.subject, "standpipe:field": facts.field}
        if facts.owner is not None:
            context["standpipe:owner"] = ids.digest(f"{facts.owner.organization_id or ''}\0{facts.owner.user_id or ''}")
        return context


def _any_of(*keys: _Key) -> _Keys:
    provider = _Keys()
    for key in keys:
        provider.add_master_key_provider(key)
    return provider


def _cached(manager: Any, partition: str) -> Any:
    return aws_encryption_sdk.CachingCryptoMaterialsManager(
        backing_materials_manager=manager,
        cache=aws_encryption_sdk.LocalCryptoMaterialsCache(CACHE_KEYS),
        max_age=CACHE_SECONDS,
        max_messages_encrypted=SHARED_KEY_MESSAGES,
        partition_name=partition,
    )


def _unavailable(error: BaseException | None) -> Unavailable | None:
    """What KMS said, if it is the reason: the SDK keeps it only as the context of its own error."""
    while error is not None:
        if isinstance(error, ClientError):
            code = error.response.get("Error", {}).get("Code", "")
            return None if code in _DAMAGED else Unavailable(f"The encryption key cannot be used now ({code}). Try again; if it stays, an operator must look at the KMS key.", "key_unavailable")
        if isinstance(error, BotoCoreError):
            return Unavailable("The key service could not be reached. Try again.", "key_unavailable")
        error = error.__cause__ or error.__context__
    return None
