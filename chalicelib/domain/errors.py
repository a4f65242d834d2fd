"""Every error Standpipe raises, classified by what to do next.

StandpipeError                 status, code and a sentence for the caller
  InvalidRequest       400     the request cannot be read
  Unauthorized         401     no or no valid credential; one same body for every cause
  Forbidden            403     the credential is good, the thing is not its own to do
  NotFound             404     also the answer to another owner's anything
  MethodNotAllowed     405
  Conflict             409     the state of things does not allow it
  PayloadTooLarge      413
  Unprocessable        422     readable, but a field is wrong
  Unavailable          503     try again, `retry_after` seconds from now
  IntegrityError       500     a sealed value is not the one that was stored: alarm, answer nothing
ProviderError                  what a provider's answer means, decided once, in doors/oauth.py
  GrantRefused                 the grant is dead: the user must act
  RegistrationRefused          our client id, secret or scopes are wrong: an operator must act, connections stay
  ProviderUnavailable          nobody must act: try again later (`in_doubt` if the grant may have been spent)
  ProviderWeird                an answer of no known meaning; a few tries, then the user must act
"""


class StandpipeError(Exception):
    """An error with an HTTP answer. `message` is written for the developer or user who reads it and never holds a secret."""

    status = 500
    code = "internal_error"

    def __init__(self, message: str, code: str | None = None, *, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.errors = errors
        self.retry_after: int | None = None


class InvalidRequest(StandpipeError):
    status, code = 400, "bad_request"


class Unauthorized(StandpipeError):
    status, code = 401, "unauthorized"

    def __init__(self) -> None:
        super().__init__("No valid API key: send 'Authorization: Bearer sk_…' with a key made by 'make key'.")


class Forbidden(StandpipeError):
    status, code = 403, "forbidden"


class NotFound(StandpipeError):
    status, code = 404, "not_found"


class MethodNotAllowed(StandpipeError):
    status, code = 405, "method_not_allowed"


class Conflict(StandpipeError):
    status, code = 409, "conflict"


class PayloadTooLarge(StandpipeError):
    status, code = 413, "payload_too_large"


class Unprocessable(StandpipeError):
    status, code = 422, "unprocessable"


class Unavailable(StandpipeError):
    status, code = 503, "temporarily_unavailable"

    def __init__(self, message: str, code: str | None = None, *, retry_after: int = 5) -> None:
        super().__init__(message, code)
        self.retry_after = retry_after


class IntegrityError(StandpipeError):
    """A sealed value failed its check: swapped, rolled back, or damaged. Never a reason to ask the user again."""

    status, code = 500, "integrity_error"

    def __init__(self, detail: str) -> None:
        super().__init__("A stored secret failed its integrity check and was not used. An operator must look into it.")
        self.detail = detail


class ProviderError(Exception):
    """What a provider's answer means. `provider_code` is the provider's own word, cut and cleaned; `detail` is for operators."""

    def __init__(self, detail: str, *, provider_code: str = "", in_doubt: bool = False, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.provider_code = provider_code
        self.in_doubt = in_doubt
        self.retry_after = retry_after


class GrantRefused(ProviderError):
    pass


class RegistrationRefused(ProviderError):
    pass


class ProviderUnavailable(ProviderError):
    pass


class ProviderWeird(ProviderError):
    pass
