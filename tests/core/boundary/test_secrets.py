"""Tests that neither an object's `repr` nor that of a dictionary of its fields contains its secrets."""

import copy
import json
import pickle
import re
from dataclasses import asdict, fields
from typing import Any

import pytest

from tests.core.boundary.values import alternatives, checked_dataclasses, example, hints_of
from unite_core import Credentials, Download, NewUser, Role, Upload, User
from unite_core.checks import Secret
from unite_core.testing.builders import a_session, a_user
from unite_core.testing.scenario import PASSWORD, Scenario

SECRET = "s3cr3t-s3cr3t-s3cr3t"
SECRET_NAMES = re.compile(r"password|token|secret|url|refresh|answer|fingerprint|holder|cookie|headers|signature")

NO_SECRETS = {
    # Whether a password has to be changed, the id of a token, and what is made with tokens.
    ("Actor", "password_change_required"),
    ("AccessClaims", "token_id"),
    ("Ports", "passwords"),
    ("Ports", "tokens"),
    ("Ports", "cookies"),
    # The worker that processes an import.
    ("LeadImport", "holder"),
}
FURTHER = {("SessionCookie", "value"), ("CacheLookup", "value"), ("Upload", "fields")}


def secrets() -> list[Any]:
    return [
        pytest.param(kind, each.name, id=f"{kind.__name__}.{each.name}")
        for kind in checked_dataclasses()
        for each in fields(kind)
        if (SECRET_NAMES.search(each.name) and (kind.__name__, each.name) not in NO_SECRETS)
        or (kind.__name__, each.name) in FURTHER
    ]


def a_secret(hint: Any) -> Any:
    kind = alternatives(hint)[0]
    text = str(kind)
    if kind is bytes:
        return SECRET.encode()
    if "dict" in text:
        return {"Authorization": SECRET}
    return (SECRET,) if "tuple" in text else SECRET


@pytest.mark.parametrize(("kind", "name"), secrets())
def test_no_repr_of_an_object_contains_its_secret(kind: Any, name: str) -> None:
    secret = a_secret(hints_of(kind)[name])

    held = example(kind, **{name: secret})

    assert getattr(held, name) == secret
    # Stored responses stay bytes, which JSON libraries want: a dictionary with them shows them.
    contents = [] if isinstance(secret, bytes) else [asdict(held), vars_of(held)]
    for text in (repr(held), str(held), f"{held}", repr([held]), *map(repr, contents), *map(str, contents)):
        assert SECRET not in text
    assert pickle.loads(pickle.dumps(held)) == copy.deepcopy(held) == held


def vars_of(held: Any) -> dict[str, Any]:
    return {each.name: getattr(held, each.name) for each in fields(held)}


def test_passwords_tokens_hashes_and_links_are_covered() -> None:
    met = {each.id for each in secrets()}

    assert met >= {
        "Credentials.password",
        "NewUser.password",
        "PasswordChange.new_password",
        "PasswordReset.password",
        "TokenPair.access_token",
        "User.password_hash",
        "Session.current_refresh",
        "Upload.url",
        "Download.url",
        "Outcome.answer",
    }


def test_a_secret_is_an_ordinary_string() -> None:
    secret = Secret(SECRET)

    assert (str(secret), f"Bearer {secret}", json.dumps(secret)) == (SECRET, f"Bearer {SECRET}", f'"{SECRET}"')
    assert (secret, hash(secret), repr(secret)) == (SECRET, hash(SECRET), "'***'")


def test_a_changed_secret_stays_hidden() -> None:
    user, session = a_user(), a_session(a_user())

    user.set_password(SECRET)
    session.rotate(SECRET, session.created_at)
    texts = [repr(user), repr(asdict(user)), repr(session), repr(asdict(session))]
    user.rehash_password(SECRET)
    texts.append(repr(asdict(user)))
    user.set_one_time_password(SECRET, session.created_at)
    texts.append(repr(asdict(user)))

    assert [text for text in texts if SECRET in text] == []


def test_results_of_use_cases_hide_their_secrets() -> None:
    scenario = Scenario()
    identity = scenario.unite.identity
    pair = identity.log_in(Credentials(email="ann@unite.example", password=PASSWORD, address="127.0.0.1"))
    user: User = scenario.user(scenario.ann)

    text = repr(asdict(pair)) + repr(asdict(user)) + repr(scenario.tables.sessions) + repr(scenario.tables.users)

    assert identity.authenticate(pair.access_token).user_id == scenario.ann.user_id
    assert pair.access_token not in text
    assert pair.refresh_token not in text
    assert user.password_hash not in text


def test_links_and_new_users_hide_their_secrets() -> None:
    scenario = Scenario()
    new = NewUser(email="eve@unite.example", name="Eve", role=Role.AGENT, password=SECRET)
    links: list[Upload | Download] = [example(Upload, url=SECRET), example(Download, url=SECRET)]

    assert SECRET not in repr([new, *links])
    assert scenario.unite.identity.create_user(scenario.admin, new).name == "Eve"
