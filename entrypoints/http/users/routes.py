"""Routes for the current user and for managing users."""

from typing import Any
from uuid import UUID

from flask import Response

from entrypoints.http.framework.conditional import etag, expected_version, versioned_response
from entrypoints.http.framework.context import actor, unite
from entrypoints.http.framework.idempotency import ResponseContent, ResponsePlan, check_readable, respond, run_use_case
from entrypoints.http.framework.json_responses import json_response
from entrypoints.http.framework.operation_docs import ResponseDoc
from entrypoints.http.framework.operations import OperationGroup
from entrypoints.http.framework.paging import page_request, page_response
from entrypoints.http.users.schemas import (
    NEW_USER_EXAMPLE,
    ONE_TIME_PASSWORD_EXAMPLE,
    USER_EXAMPLE,
    MePatchSchema,
    NewUserSchema,
    OneTimePasswordSchema,
    PasswordChangeSchema,
    UserPageSchema,
    UserPatchSchema,
    UserQuery,
    UserSchema,
    one_time_password_json,
    summary_change,
    user_json,
)
from unite_core.identity.model import Permission, User
from unite_core.identity.ports import UserFilter
from unite_core.identity.queries import GetUser, ListUsers
from unite_core.identity.use_cases import (
    ChangePassword,
    CreateUser,
    NewUser,
    PasswordChange,
    PasswordReset,
    ResetPassword,
    UpdateUser,
    UserChanges,
)
from unite_core.summaries.use_cases import UpdateDailySummary

operations = OperationGroup("users", "Admins, managers and agents.")

_USER = ResponseDoc(status=200, schema=UserSchema, example=USER_EXAMPLE, headers=("ETag",))


@operations.operation(
    "GET",
    "/v1/me",
    description="Read the user of the access token.",
    responses=[_USER],
    before_password_change=True,
    if_none_match=True,
)
def me() -> Response:
    """Get the current user."""
    user = unite().identity.get_user(actor(), actor().user_id)
    return versioned_response(user.version, lambda: user_json(user))


@operations.operation(
    "PATCH",
    "/v1/me",
    operation_id="change_me",
    use_case=UpdateDailySummary,
    body=MePatchSchema,
    body_example={"daily_summary": {"at": "18:00", "tz": "Europe/London"}},
    responses=[_USER],
    permission=Permission.GET_DAILY_SUMMARY,
    if_match=True,
)
def update_me(body: dict[str, Any]) -> Response:
    """Update the current user."""
    expected = expected_version(lambda: unite().identity.get_user(actor(), actor().user_id).version)
    user = unite().identity.update_daily_summary(actor(), summary_change(body, expected))
    return json_response(user_json(user), headers={"ETag": etag(user.version)})


@operations.operation(
    "POST",
    "/v1/me/password",
    use_case=ChangePassword,
    body=PasswordChangeSchema,
    body_example={"current_password": "correct horse battery", "new_password": "staple battery horse"},
    responses=[ResponseDoc(status=204, description="The new password is in use.")],
    problems=["wrong_password", "too_many_logins"],
    before_password_change=True,
)
def change_password(body: dict[str, Any]) -> Response:
    """Change the current user's password."""
    change = PasswordChange(**body)
    use_case = unite().identity.change_password

    def recheck(_: None) -> None:
        use_case.require_in_force(actor(), change)

    answering = ResponsePlan[None](
        lambda _: ResponseContent(204), recheck, secret=True, count_attempt=lambda: use_case.count_attempt(actor())
    )
    return run_use_case(use_case, answering, change)


@operations.operation(
    "POST",
    "/v1/users",
    operation_id="add_user",
    use_case=CreateUser,
    body=NewUserSchema,
    body_example=NEW_USER_EXAMPLE,
    responses=[ResponseDoc(status=201, schema=UserSchema, example=USER_EXAMPLE, headers=("Location", "ETag"))],
    permission=Permission.CHANGE_USERS,
    problems=["duplicate_user"],
)
def create_user(body: dict[str, Any]) -> Response:
    """Create a user."""
    answering = ResponsePlan(_added, check_readable(unite().identity.get_user), secret=True)
    return run_use_case(unite().identity.create_user, answering, NewUser(**body))


@operations.operation(
    "GET",
    "/v1/users",
    use_case=ListUsers,
    query=UserQuery,
    responses=[
        ResponseDoc(
            status=200,
            schema=UserPageSchema,
            example={"items": [USER_EXAMPLE], "next_cursor": None},
            headers=("Link",),
        )
    ],
)
def list_users(query: dict[str, Any]) -> Response:
    """List users."""
    filters = UserFilter(role=query.get("role"), active=query.get("active"))
    page = unite().identity.list_users(actor(), filters, page_request(query))
    return page_response(map(user_json, page.items), page.next)


@operations.operation("GET", "/v1/users/<uuid:user_id>", use_case=GetUser, responses=[_USER], if_none_match=True)
def get_user(user_id: UUID) -> Response:
    """Get a user."""
    user = unite().identity.get_user(actor(), user_id)
    return versioned_response(user.version, lambda: user_json(user))


@operations.operation(
    "PATCH",
    "/v1/users/<uuid:user_id>",
    operation_id="change_user",
    use_case=UpdateUser,
    body=UserPatchSchema,
    body_example={"role": "agent", "phone": None},
    responses=[_USER],
    problems=["forbidden", "last_admin"],
    if_match=True,
)
def update_user(user_id: UUID, body: dict[str, Any]) -> Response:
    """Update a user."""
    expected = expected_version(lambda: unite().identity.get_user(actor(), user_id).version)
    changes = UserChanges(user_id=user_id, expected_version=expected, **body)
    user = unite().identity.update_user(actor(), changes)
    return json_response(user_json(user), headers={"ETag": etag(user.version)})


@operations.operation(
    "POST",
    "/v1/users/<uuid:user_id>/password-reset",
    use_case=ResetPassword,
    responses=[ResponseDoc(status=200, schema=OneTimePasswordSchema, example=ONE_TIME_PASSWORD_EXAMPLE)],
    permission=Permission.CHANGE_USERS,
    takes_idempotency_key=False,
)
def reset_password(user_id: UUID) -> Response:
    """Reset a user's password."""
    one_time = unite().identity.reset_password(actor(), PasswordReset(user_id=user_id))
    return respond(ResponseContent(200, one_time_password_json(one_time)))


def _added(user: User) -> ResponseContent:
    return ResponseContent(201, user_json(user), {"Location": f"/v1/users/{user.id}", "ETag": etag(user.version)})
