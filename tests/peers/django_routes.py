"""Child process: URL table of the Django peer, its automatic user, its counters and test routes.

Rule: the OAuth views are the toolkit's own; we subclass one only to press its consent button for the user.
Who and what is decided per request: header X-Peer-User / X-Peer-Deny, else `login_hint` ("deny" declines), else the
default set by POST /__browser.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import include, path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.models import (
    get_access_token_model,
    get_grant_model,
    get_refresh_token_model,
    revoke_access_token,
)
from oauth2_provider.urls import metadata_urlpatterns
from oauth2_provider.views import AuthorizationView, ProtectedResourceView
from oauth2_provider.views.mixins import ProtectedResourceMetadataMixin

View = Callable[[HttpRequest], HttpResponseBase]

ROLES = {"/o/token/": "token", "/o/revoke_token/": "revoke", "/o/authorize/": "authorize", "/me": "userinfo"}
BROWSER: dict[str, Any] = {"user": settings.PEER_OPTIONS["default_user"], "deny": False}
REQUESTS: list[dict[str, Any]] = []
BOOK = threading.Lock()
ROW_LOCK = threading.Lock()


def describe(request: HttpRequest, role: str) -> dict[str, Any]:
    """What may be told of a request: names and shapes, and secrets only as a short hash to compare by."""
    credential = request.POST.get("refresh_token") or request.POST.get("code") or request.POST.get("token") or ""
    basic = request.headers.get("Authorization", "").startswith("Basic ")
    return {
        "role": role,
        "path": request.path,
        "method": request.method,
        "grant_type": request.POST.get("grant_type"),
        "auth": "basic" if basic else "post" if "client_secret" in request.POST else "none",
        "params": sorted(request.POST),
        "accept": request.headers.get("Accept"),
        "content_type": request.headers.get("Content-Type"),
        "redirect_uri": request.POST.get("redirect_uri"),
        "credential_hash": hashlib.sha256(credential.encode()).hexdigest()[:16] if credential else None,
        "time": time.time(),
    }


def count_requests(get_response: View) -> View:
    """Middleware: write each OAuth request down, and hold the row lock over a token request.

    The toolkit validates a refresh token outside the transaction that rotates it, so two requests in the same
    millisecond may both succeed. A strict provider locks the row first; `serialize` (default) gives us that one.
    """
    lock = ROW_LOCK if settings.PEER_OPTIONS["serialize"] else nullcontext()

    def middleware(request: HttpRequest) -> HttpResponseBase:
        role = ROLES.get(request.path)
        if role is None:
            return get_response(request)
        entry = describe(request, role)
        with lock if role in ("token", "revoke") else nullcontext():
            response = get_response(request)
        with BOOK:
            REQUESTS.append({**entry, "status": response.status_code})
        return response

    return middleware


class Authorize(AuthorizationView):
    """The toolkit's page with a user who is logged in and has already decided."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        hint = request.GET.get("login_hint", "")
        self.deny = "X-Peer-Deny" in request.headers or hint == "deny" or BROWSER["deny"]
        name = request.headers.get("X-Peer-User") or (hint if hint != "deny" else "") or BROWSER["user"]
        user, _ = get_user_model().objects.get_or_create(username=name)
        if request.user.pk != user.pk:
            login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return super().dispatch(request, *args, **kwargs)

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponseBase:
        form = context.get("form")
        if form is None:  # an error page of the toolkit
            return super().render_to_response(context, **kwargs)
        fields = {key: value for key, value in form.initial.items() if value is not None}
        pressed = self.form_class(data=fields if self.deny else {**fields, "allow": "Authorize"})
        return self.form_valid(pressed) if pressed.is_valid() else self.form_invalid(pressed)


class Me(ProtectedResourceMetadataMixin, ProtectedResourceView):
    """A resource guarded by the bearer token; the mixin makes the toolkit say 401 where it says a bare 403 else."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse({"sub": request.resource_owner.username})


@csrf_exempt
def hits(request: HttpRequest) -> HttpResponse:
    """GET /__hits tells what was asked; DELETE forgets it."""
    with BOOK:
        if request.method == "DELETE":
            REQUESTS.clear()
        return JsonResponse({"requests": list(REQUESTS)})


@csrf_exempt
def browser(request: HttpRequest) -> HttpResponse:
    """Set the user and the decision of browsers that can send neither header nor hint."""
    BROWSER.update(json.loads(request.body))
    return JsonResponse(BROWSER)


@csrf_exempt
def revoke_user(request: HttpRequest) -> HttpResponse:
    """The user takes the access away, as on the toolkit's "authorized tokens" page, for all tokens."""
    name = json.loads(request.body)["user"]
    with ROW_LOCK:
        access = list(get_access_token_model().objects.filter(user__username=name))
        for token in access:
            revoke_access_token(token)
        for refresh in get_refresh_token_model().objects.filter(user__username=name, revoked__isnull=True):
            refresh.revoke()
        get_grant_model().objects.filter(user__username=name).delete()
    return JsonResponse({"revoked": len(access)})


@csrf_exempt
def expire(request: HttpRequest) -> HttpResponse:
    """All access tokens are over now; refresh tokens stay good."""
    count = get_access_token_model().objects.update(expires=timezone.now() - timedelta(seconds=1))
    return JsonResponse({"expired": count})


urlpatterns = [
    path("__hits", hits),
    path("__browser", browser),
    path("__revoke_user", revoke_user),
    path("__expire", expire),
    path("me", Me.as_view()),
    path("o/authorize/", Authorize.as_view()),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    # The issuer has no path, so its metadata belongs at the root (RFC 8414 3.1), not under /o/.
    *metadata_urlpatterns,
]
