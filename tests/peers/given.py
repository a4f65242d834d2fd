"""What the peers' own tests are given: one client, one callback, and secrets that only survive where they are encoded well."""

from __future__ import annotations

CALLBACK = "http://127.0.0.1:9/callback/one"
ASCII_SECRET = "s:e/c+r%e&t=~ with spaces %3A"
UNICODE_SECRET = ASCII_SECRET + " pässwörd 🔑"
COMMON = {"client_id": "vault:special/+%", "redirect_uris": [CALLBACK]}
SCOPE = {"django": "read", "oidc": "openid read"}
