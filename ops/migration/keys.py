"""age keys as operators have them: public ones that an export is sealed to, private ones that open it again.

Rule: a private key is read from its file and shown to nobody.
"""

import hashlib
import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from pyrage import DecryptError, IdentityError, RecipientError, decrypt, decrypt_io, encrypt, ssh, x25519  # type: ignore[import-untyped]

from ops.errors import StepFailed

PRIVATE = "AGE-SECRET-KEY-"


def recipients(path: Path) -> list[Any]:
    """Every public key of the file: `age1…` or SSH, one a line. Raises StepFailed."""
    step = f"Reading the public key {path}"
    lines = [line.strip() for line in _text(step, path).splitlines()]
    if any((PRIVATE in line.upper() and not line.startswith("#")) or "PRIVATE KEY" in line for line in lines):
        raise StepFailed(step, "it holds a private key, which nobody but you should have", f"Give its public part: age-keygen -y {path}")
    try:
        found = [(x25519 if line.startswith("age1") else ssh).Recipient.from_str(line) for line in lines if line and not line.startswith("#")]
    except RecipientError as error:
        raise StepFailed(step, f"it is no age or SSH public key ({error})", "It is a line that begins with 'age1' or 'ssh-ed25519'.") from None
    if not found:
        raise StepFailed(step, "it holds no key", "It is a line that begins with 'age1' or 'ssh-ed25519'.")
    return found


def digest(path: Path) -> str:
    """Tells one set of public keys from another."""
    lines = {line.strip() for line in path.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#")}
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def identities(path: Path) -> list[Any]:
    """Every private key of the file. Raises StepFailed."""
    step = f"Reading the private key {path}"
    text = _text(step, path)
    try:
        if "PRIVATE KEY" in text:
            return [ssh.Identity.from_buffer(text.encode())]
        found = [x25519.Identity.from_str(line.strip()) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    except IdentityError as error:
        raise StepFailed(step, f"it is no age or SSH private key ({error})", "It is the file that age-keygen wrote.") from None
    if not found:
        raise StepFailed(step, "it holds no key", "It is the file that age-keygen wrote.")
    return found


def make(path: Path) -> Path:
    """A new private key in a file of its own that only its owner reads, and its public key in another beside it, which is returned. Raises StepFailed."""
    identity, public = x25519.Identity.generate(), path.with_name(f"{path.name}.pub")
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"# public key: {identity.to_public()}\n{identity}\n")
    except FileExistsError:
        raise StepFailed("Making a key", f"{path} is there already", "Name another file.") from None
    public.write_text(f"{identity.to_public()}\n")
    return public


def seal(text: bytes, to: list[Any]) -> bytes:
    """An age file in its form of text."""
    return bytes(encrypt(text, to, armored=True))


def open_(armored: bytes, held: list[Any]) -> bytes | None:
    """What such a file holds, or None if it is damaged or not for these keys."""
    try:
        return bytes(decrypt(armored, held))
    except DecryptError:
        return None


@contextmanager
def decrypting(path: Path, held: list[Any]) -> Iterator[BinaryIO]:
    """What an age file holds, as it is read. Raises StepFailed, also at its end if the file was cut off."""
    reading, writing = os.pipe()
    failed: list[Exception] = []

    def pump() -> None:
        with path.open("rb") as source, os.fdopen(writing, "wb") as target, suppress(BrokenPipeError):
            try:
                decrypt_io(source, target, held)
            except Exception as error:  # noqa: BLE001 - told on the other side
                failed.append(error)

    pumping = threading.Thread(target=pump, daemon=True)
    pumping.start()
    with os.fdopen(reading, "rb") as out:
        yield _Whole(out, failed, pumping)
    pumping.join(5)


class _Whole(io.BufferedReader):
    """The end of the pipe is the end of the file only if all of it was good."""

    def __init__(self, raw: Any, failed: list[Exception], pumping: threading.Thread) -> None:
        super().__init__(raw)
        self._failed, self._pumping = failed, pumping

    def read1(self, size: int = -1) -> bytes:
        got = super().read1(size)
        if not got:
            self._pumping.join(5)
            if self._failed:
                raise StepFailed("Decrypting", f"{self._failed[0]}", "Is it the key it was encrypted to, and the whole file?")
        return got


def _text(step: str, path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StepFailed(step, str(error), "Name a readable file.") from None
