"""All problem codes of the API with their category, title and advice, and the errors of the HTTP layer."""

from dataclasses import dataclass

from unite_core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    PreconditionFailed,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UniteError,
)


class MalformedParameter(Malformed):
    """A parameter of the query is unknown, repeated or unreadable; `problems` names the parameters."""

    code = "invalid_parameter"


class MethodNotAllowed(UniteError):
    """The path exists, but does not accept this method."""

    code = "method_not_allowed"


class RequestTimeout(UniteError):
    """The request, or the rest of it, did not arrive in time."""

    code = "request_timeout"


class UriTooLong(UniteError):
    """The target of the request is too long."""

    code = "uri_too_long"


class HeadTooLarge(UniteError):
    """The request has too many or too large headers."""

    code = "headers_too_large"


class UnsupportedMediaType(UniteError):
    """The body is of a type that the operation does not accept; `accepted` are the types that it accepts."""

    code = "unsupported_media_type"

    def __init__(self, detail: str, *, accepted: tuple[str, ...] = ("application/json",)) -> None:
        super().__init__(detail)
        self.accepted = accepted


class UnsupportedEncoding(UnsupportedMediaType):
    """The body is compressed, or encoded in another way."""


def too_many_transfers(detail: str) -> Unavailable:
    """Return the error for a large body or a file while too many others are being transferred."""
    return Unavailable(detail, code="too_many_transfers")


class Unexpected(UniteError):
    """An internal error; its details are not shown."""

    code = "internal_error"

    def __init__(self) -> None:
        super().__init__("An internal error occurred; its details are not shown here.")


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """The meaning of a problem code: its category, its title, and advice on what to do."""

    category: type[UniteError]
    title: str
    advice: str


PROBLEMS: dict[str, ProblemKind] = {
    # The request cannot be read.
    "malformed": ProblemKind(Malformed, "The request cannot be read", "Correct the request as `detail` says."),
    "malformed_json": ProblemKind(
        Malformed,
        "The body is not JSON",
        "Send a body that is JSON (RFC 8259) in UTF-8, not nested deeper than 20 levels, no name twice in an object.",
    ),
    "malformed_form": ProblemKind(
        Malformed, "The form cannot be read", "Send multipart/form-data (RFC 7578) with a file in the field `file`."
    ),
    "invalid_parameter": ProblemKind(
        Malformed,
        "A query parameter is unknown or malformed",
        "`errors` names each parameter and what is wrong with it.",
    ),
    "invalid_cursor": ProblemKind(
        Malformed,
        "The cursor is not valid for this list",
        "Send `next_cursor` unchanged, to the same path with the same filters; or start again without a cursor.",
    ),
    "invalid_header": ProblemKind(Malformed, "A header is malformed", "Correct the header that `detail` names."),
    # Authentication and authorization.
    "unauthenticated": ProblemKind(
        Unauthenticated, "Authentication is required", "Log in, and send the access token as `Authorization: Bearer`."
    ),
    "invalid_token": ProblemKind(
        Unauthenticated, "The token is not valid", "It was not issued by this service, or was altered. Log in again."
    ),
    "token_expired": ProblemKind(
        Unauthenticated, "The access token has expired", "Get a new pair with the refresh token."
    ),
    "token_revoked": ProblemKind(
        Unauthenticated,
        "The login has ended",
        "The user logged out, was deactivated or works in another role now. Log in again.",
    ),
    "token_reused": ProblemKind(
        Unauthenticated,
        "The refresh token was used before",
        "Somebody else may have it, so every token of that login is revoked. Log in again.",
    ),
    "invalid_credentials": ProblemKind(
        Unauthenticated, "The e-mail address or the password is wrong", "The response does not say which of the two."
    ),
    "forbidden": ProblemKind(Forbidden, "The role may not do this", "Ask a user whose role may."),
    "password_change_required": ProblemKind(
        Forbidden,
        "The password is a one-time password",
        "Change it with `POST /v1/me/password`; afterwards the same access token works for everything.",
    ),
    "invalid_signature": ProblemKind(
        Forbidden,
        "The signature is not valid",
        "Use a signed link unchanged, or ask for a new one. A webhook accepts only requests signed by its provider.",
    ),
    "link_expired": ProblemKind(Forbidden, "The link has expired", "Ask for a new one."),
    # The resource.
    "not_found": ProblemKind(NotFound, "There is no such resource", "It does not exist, or the caller may not see it."),
    "no_error_report": ProblemKind(
        NotFound, "There is no error report", "There is one when an import has ended with rejected rows."
    ),
    "method_not_allowed": ProblemKind(
        MethodNotAllowed,
        "The path does not accept this method",
        "The header `Allow` lists the methods that it accepts.",
    ),
    # Conflicts with the current state.
    "conflict": ProblemKind(Conflict, "The current state does not allow it", "Read the resource again, then decide."),
    "duplicate_lead": ProblemKind(
        Conflict,
        "Another lead has this phone or e-mail",
        "`duplicates` names the fields, and the other lead where the caller may see it.",
    ),
    "duplicate_user": ProblemKind(Conflict, "Another user has this e-mail address", "Use that user instead."),
    "last_admin": ProblemKind(
        Conflict, "This is the last active admin", "Make another user an admin first; there has to be at least one."
    ),
    "not_uploaded": ProblemKind(Conflict, "The file has not been uploaded yet", "Send its bytes first."),
    "already_started": ProblemKind(
        Conflict, "The import has been started already", "Get the import to see its progress."
    ),
    "same_file": ProblemKind(
        Conflict, "The same file is being imported already", "Send the request again; it gets that import."
    ),
    "import_ended": ProblemKind(Conflict, "The import has ended already", "Undo it instead."),
    "import_not_ended": ProblemKind(Conflict, "The import is still going on", "Cancel it first."),
    "nothing_to_undo": ProblemKind(
        Conflict, "There is nothing to undo", "A dry run changes nothing, nor does an import that never ran."
    ),
    "import_expired": ProblemKind(
        Conflict, "The import ended too long ago", "The earlier versions of its leads are no longer stored."
    ),
    "task_closed": ProblemKind(
        Conflict,
        "The call task is closed",
        "It was completed, missed or cancelled, which cannot be changed: read it, or create another one.",
    ),
    "too_many_notes": ProblemKind(
        Conflict, "The call task has as many notes as it may have", "Add the note to another task."
    ),
    "too_many_imports": ProblemKind(
        Conflict,
        "The user has the maximum number of unfinished imports",
        "Start the uploaded imports, cancel those that are not needed, or wait for one to end.",
    ),
    "too_many_import_bytes": ProblemKind(
        Conflict,
        "The files of the user's unfinished imports have reached the maximum total size",
        "Cancel imports that are not needed, or wait for one to end.",
    ),
    "too_many_images": ProblemKind(
        Conflict, "The lead has as many pictures as it may have", "Delete one that is not needed."
    ),
    "too_many_announced_images": ProblemKind(
        Conflict,
        "The user has the maximum number of announced pictures that are not uploaded",
        "Upload and complete them, or delete them. Without an upload they are deleted after a day.",
    ),
    "too_many_call_tasks": ProblemKind(
        Conflict, "The lead has as many pending call tasks as it may have", "Complete or cancel one of them."
    ),
    "too_many_corrections": ProblemKind(
        Conflict, "The call was corrected as often as it may be", "The last correction stays valid."
    ),
    "not_dead": ProblemKind(
        Conflict,
        "The delivery is neither a dead letter nor skipped",
        "It was delivered or is still pending: check its status.",
    ),
    "request_in_progress": ProblemKind(
        Conflict,
        "The first request with this Idempotency-Key is still in progress",
        "Send the same request again in a moment; it gets the response of the first one.",
    ),
    "precondition_failed": ProblemKind(
        PreconditionFailed, "It has changed since you read it", "Read it again, decide, and send its new ETag."
    ),
    # Timeouts, sizes, media types, validation and limits.
    "request_timeout": ProblemKind(
        RequestTimeout, "The request did not arrive in time", "Send the request again, on a new connection."
    ),
    "too_large": ProblemKind(TooLarge, "The body is too large", "`detail` names the limit."),
    "uri_too_long": ProblemKind(
        UriTooLong, "The target of the request is too long", "`detail` names the limit. Send less in the query."
    ),
    "headers_too_large": ProblemKind(
        HeadTooLarge,
        "The headers are too many or too large",
        "`detail` names the limit. Send fewer or shorter headers.",
    ),
    "unsupported_media_type": ProblemKind(
        UnsupportedMediaType,
        "The body is of a type that is not accepted here",
        "The header `Accept` lists the accepted types. Compressed bodies are not accepted (`Accept-Encoding`).",
    ),
    "invalid": ProblemKind(
        Invalid, "The request breaks a rule", "`errors` names each field and what is wrong with it."
    ),
    "idempotency_key_reused": ProblemKind(
        Invalid, "The Idempotency-Key was used for another request", "Use a new key for a new request."
    ),
    "wrong_password": ProblemKind(Invalid, "The current password is wrong", "Enter it again."),
    "wrong_size": ProblemKind(
        Invalid, "The file has another size than announced", "Announce it again with its actual size."
    ),
    "wrong_type": ProblemKind(
        Invalid, "The file is of another type than announced", "Announce it again with its actual type."
    ),
    "unreadable_image": ProblemKind(
        Invalid,
        "The picture is incomplete, damaged or animated",
        "Export it as a still picture, announce that file and upload it.",
    ),
    "too_many_pixels": ProblemKind(
        Invalid, "The picture has too many pixels", "Make it smaller, announce that file and upload it."
    ),
    "nothing_to_correct": ProblemKind(
        Invalid, "The correction changes nothing", "Give at least one value that differs from the entry."
    ),
    "too_many_requests": ProblemKind(
        TooManyRequests, "Too many requests", "`Retry-After` says in how many seconds to try again."
    ),
    "too_many_logins": ProblemKind(
        TooManyRequests, "Too many logins", "`Retry-After` says in how many seconds to try again."
    ),
    "quota_exceeded": ProblemKind(
        TooManyRequests,
        "The user has reached the hourly limit for this action",
        "`detail` names the quota; `Retry-After` says in how many seconds to try again.",
    ),
    "too_many_streams": ProblemKind(
        Unavailable, "Too many event streams are open", "Close one, or poll the import instead."
    ),
    "too_many_transfers": ProblemKind(
        Unavailable,
        "Too many large bodies or files are being transferred",
        "Send the same request again after the seconds that `Retry-After` names.",
    ),
    # Errors of the service.
    "internal_error": ProblemKind(
        Unexpected, "An internal error", "It was logged with the `correlation_id`; quote that id when you report it."
    ),
    "unavailable": ProblemKind(
        Unavailable, "A dependency of the service does not respond", "Send the same request again shortly."
    ),
}
"""Problem codes and their meaning. A code of the core that is missing here is shown as the code of its category."""
