"""Every problem that the API answers with: its code, what kind of error it is, and what to do about it."""

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
    """There is such a path, and it does not take this method."""

    code = "method_not_allowed"


class RequestTimeout(UniteError):
    """The request, or the rest of it, did not come in time."""

    code = "request_timeout"


class UriTooLong(UniteError):
    """The target of the request is longer than the server takes."""

    code = "uri_too_long"


class HeadTooLarge(UniteError):
    """The request has more headers, or larger ones, than the server takes."""

    code = "headers_too_large"


class UnsupportedMediaType(UniteError):
    """The body is of a type that this operation does not take; `accepted` are those that it takes."""

    code = "unsupported_media_type"

    def __init__(self, detail: str, *, accepted: tuple[str, ...] = ("application/json",)) -> None:
        super().__init__(detail)
        self.accepted = accepted


class UnsupportedEncoding(UnsupportedMediaType):
    """The body is compressed, or encoded in another way."""


def too_many_transfers(detail: str) -> Unavailable:
    """The error for a large body or a file for which there is no room at the moment."""
    return Unavailable(detail, code="too_many_transfers")


class Unexpected(UniteError):
    """A mistake of ours, of which nothing is shown."""

    code = "internal_error"

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side; nothing more is told here.")


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """What a problem code stands for: its category, its title, and a sentence or two on what to do."""

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
        "The cursor is not one of this list",
        "Pass `next_cursor` back as it came, to the same path with the same filters; or begin again without a cursor.",
    ),
    "invalid_header": ProblemKind(Malformed, "A header is malformed", "Correct the header that `detail` names."),
    # Who is asking.
    "unauthenticated": ProblemKind(
        Unauthenticated, "Nobody is logged in", "Log in, and send the access token as `Authorization: Bearer`."
    ),
    "invalid_token": ProblemKind(
        Unauthenticated, "The token is not good", "It is not one of ours, or was altered. Log in again."
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
        Unauthenticated, "The e-mail address or the password is wrong", "Which of the two is not told."
    ),
    "forbidden": ProblemKind(Forbidden, "The role may not do this", "Ask somebody whose role may."),
    "password_change_required": ProblemKind(
        Forbidden,
        "The password is a one-time password",
        "Choose another one by `POST /v1/me/password`; the same access token may do everything then.",
    ),
    "invalid_signature": ProblemKind(
        Forbidden,
        "The signature is not good",
        "Use a signed link exactly as it was given, or ask for another one. A webhook is for whoever signs it.",
    ),
    "link_expired": ProblemKind(Forbidden, "The link has expired", "Ask for another one."),
    # What is asked for.
    "not_found": ProblemKind(NotFound, "There is no such thing", "Or the caller may not know that there is."),
    "no_error_report": ProblemKind(
        NotFound, "There is no error report", "There is one when an import has ended with rejected rows."
    ),
    "method_not_allowed": ProblemKind(
        MethodNotAllowed, "The path does not take this method", "The header `Allow` lists those that it takes."
    ),
    # The state of things.
    "conflict": ProblemKind(Conflict, "The state of things does not allow it", "Read it again, then decide."),
    "duplicate_lead": ProblemKind(
        Conflict,
        "Another lead has this phone or e-mail",
        "`duplicates` names the fields, and the other lead where the caller may see it.",
    ),
    "duplicate_user": ProblemKind(Conflict, "Another user has this e-mail address", "Find that user instead."),
    "last_admin": ProblemKind(
        Conflict, "This is the last active admin", "Make another one first; somebody has to be able to."
    ),
    "not_uploaded": ProblemKind(Conflict, "The file has not been uploaded yet", "Send its bytes first."),
    "already_started": ProblemKind(Conflict, "The import has been started already", "Read how far it is."),
    "same_file": ProblemKind(
        Conflict, "The same file is being imported already", "Send the request again; it gets that import."
    ),
    "import_ended": ProblemKind(Conflict, "The import has ended already", "Undo it instead."),
    "import_not_ended": ProblemKind(Conflict, "The import is still going on", "Cancel it first."),
    "nothing_to_undo": ProblemKind(
        Conflict, "There is nothing to undo", "A dry run changes nothing, nor does an import that never ran."
    ),
    "import_expired": ProblemKind(
        Conflict, "The import ended too long ago", "What leads were before it is not stored any more."
    ),
    "task_closed": ProblemKind(
        Conflict,
        "The call task is closed",
        "It was completed, missed or cancelled already, and stays so: read it, or make another one.",
    ),
    "too_many_notes": ProblemKind(
        Conflict, "The call task has as many notes as it may have", "Write it down elsewhere, or in another task."
    ),
    "too_many_imports": ProblemKind(
        Conflict,
        "The user has as many imports that have not ended as they may have",
        "Start what is uploaded, cancel what is not needed, or wait for one to end.",
    ),
    "too_many_import_bytes": ProblemKind(
        Conflict,
        "The files of the user's imports that have not ended are as large as they may be together",
        "Cancel what is not needed, or wait for one to end.",
    ),
    "too_many_images": ProblemKind(
        Conflict, "The lead has as many pictures as it may have", "Delete one that is not needed."
    ),
    "too_many_announced_images": ProblemKind(
        Conflict,
        "The user has announced as many pictures as they may before uploading them",
        "Upload and complete them, or delete them. Those that nobody uploads are gone after a day.",
    ),
    "too_many_call_tasks": ProblemKind(
        Conflict, "The lead has as many pending call tasks as it may have", "Complete or cancel one of them."
    ),
    "too_many_corrections": ProblemKind(
        Conflict, "The call was corrected as often as it may be", "What was corrected last stays in force."
    ),
    "not_dead": ProblemKind(
        Conflict,
        "The delivery is neither a dead letter nor skipped",
        "It has arrived, or is still being tried: read its status.",
    ),
    "request_in_progress": ProblemKind(
        Conflict,
        "The first request with this Idempotency-Key is still being worked on",
        "Send the same request again in a moment; it gets the answer of the first.",
    ),
    "precondition_failed": ProblemKind(
        PreconditionFailed, "It has changed since you read it", "Read it again, decide, and send its new ETag."
    ),
    # Too slow, too large, of another type, against a rule, too often.
    "request_timeout": ProblemKind(
        RequestTimeout, "The request did not come in time", "Send the request again, on a new connection."
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
        "The body is of a type that is not taken here",
        "The header `Accept` lists those that are; a body that is compressed is not taken (`Accept-Encoding`).",
    ),
    "invalid": ProblemKind(
        Invalid, "The request breaks a rule", "`errors` names each field and what is wrong with it."
    ),
    "idempotency_key_reused": ProblemKind(
        Invalid, "The Idempotency-Key was used for another request", "Take a new key for a new request."
    ),
    "wrong_password": ProblemKind(Invalid, "The current password is wrong", "Type it again."),
    "wrong_size": ProblemKind(
        Invalid, "The file has another size than announced", "Announce it again with the size that it has."
    ),
    "wrong_type": ProblemKind(
        Invalid, "The file is of another type than announced", "Announce it again with the type that it has."
    ),
    "unreadable_image": ProblemKind(
        Invalid,
        "The picture breaks off, is damaged, or moves",
        "Export it anew as a still picture, announce that and upload it.",
    ),
    "too_many_pixels": ProblemKind(
        Invalid, "The picture has too many pixels", "Make it smaller, announce that and upload it."
    ),
    "nothing_to_correct": ProblemKind(
        Invalid, "The call log says so already", "Name what is to be said instead, or leave it as it is."
    ),
    "too_many_requests": ProblemKind(
        TooManyRequests, "Too many requests", "`Retry-After` says in how many seconds to go on."
    ),
    "too_many_logins": ProblemKind(
        TooManyRequests, "Too many logins", "`Retry-After` says in how many seconds to try again."
    ),
    "quota_exceeded": ProblemKind(
        TooManyRequests,
        "The user has done this as often within an hour as they may",
        "`detail` names the quota; `Retry-After` says in how many seconds to go on.",
    ),
    "too_many_streams": ProblemKind(
        Unavailable, "Too many event streams are open", "Close one, or ask for the import now and then instead."
    ),
    "too_many_transfers": ProblemKind(
        Unavailable,
        "Too many large bodies or files are on their way",
        "Send the same request again after the seconds that `Retry-After` names.",
    ),
    # Ours.
    "internal_error": ProblemKind(
        Unexpected, "A mistake of ours", "It has been recorded under the `correlation_id`; tell us that."
    ),
    "unavailable": ProblemKind(
        Unavailable, "Something that the service depends on does not answer", "Send the same request again shortly."
    ),
}
"""Code -> what it stands for. A code that a use case raises and that is not here is shown as its category's own."""
