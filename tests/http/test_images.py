"""Tests of pictures of leads over HTTP."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.http.service import Person, Service, faults, problem
from tests.pictures import PNG
from unite_core.files import upload_key


@pytest.fixture
def manager(service: Service) -> Person:
    return service.manager()


@pytest.fixture
def images(manager: Person) -> str:
    """The path of a lead's images."""
    lead = manager.post("/v1/leads", json={"name": "Grace", "phone": "+12125550123"})
    return f"{lead.headers['Location']}/images"


def announce(manager: Person, images: str, **image: Any) -> Any:
    return manager.post(images, json={"content_type": "image/png", "size": len(PNG), **image})


def upload(service: Service, image_id: str, content: bytes) -> None:
    with service.ports.reads() as reads:
        [key] = [each.key for each in reads.images.abandoned(before=service.ports.clock.now() + timedelta(1), limit=9)]
    assert image_id in key
    with service.ports.files.write(upload_key(key), content_type="image/png") as stream:
        stream.write(content)


def test_a_picture_is_announced_uploaded_completed_listed_and_deleted(
    service: Service, manager: Person, images: str
) -> None:
    announced = announce(manager, images, filename="portrait.png")
    assert (announced.status_code, announced.headers["ETag"]) == (201, '"1"')
    image = announced.get_json()
    assert image["upload"]["headers"] == {"Content-Type": "image/png"}
    assert image["expires_at"] == "2026-03-02T09:15:00Z"
    assert manager.get(images).get_json()["items"] == []

    upload(service, image["id"], PNG)
    completed = manager.post(f"{images}/{image['id']}/complete")
    assert (completed.status_code, completed.headers["ETag"]) == (200, '"2"')
    assert (completed.get_json()["status"], completed.get_json()["version"]) == ("ready", 2)
    assert manager.post(f"{images}/{image['id']}/complete").get_json() == completed.get_json()

    [listed] = manager.get(images).get_json()["items"]
    assert (listed["filename"], listed["version"]) == ("portrait.png", 2)
    assert listed["expires_at"] == "2026-03-02T09:05:00Z"
    link = urlsplit(listed["download_url"])
    served = service.ports.files.serve(link.path.lstrip("/"), dict(parse_qsl(link.query)))
    assert served.body.read() == PNG

    assert manager.delete(f"{images}/{image['id']}").status_code == 204
    assert manager.get(images).get_json()["items"] == []
    assert problem(manager.delete(f"{images}/{image['id']}")) == (404, "not_found")


@pytest.mark.parametrize(
    ("image", "fault"),
    [
        ({"content_type": "image/gif"}, ("/content_type", "unsupported_type")),
        ({"size": 0}, ("/size", "wrong_size")),
        ({"size": 10 * 1024 * 1024 + 1}, ("/size", "wrong_size")),
        ({"size": "100"}, ("/size", "wrong_type")),
        ({"size": True}, ("/size", "wrong_type")),
        ({"size": 1.5}, ("/size", "wrong_type")),
        ({"size": 1e30}, ("/size", "wrong_size")),
        ({"filename": "a\nb"}, ("/filename", "control_character")),
    ],
)
def test_an_unsupported_picture_is_refused_when_it_is_announced(
    manager: Person, images: str, image: dict[str, Any], fault: tuple[str, str]
) -> None:
    answer = announce(manager, images, **image)

    assert problem(answer) == (422, "invalid")
    assert faults(answer) == [fault]


@pytest.mark.parametrize(
    ("content", "code"), [(b"GIF89a".ljust(len(PNG)), "wrong_type"), (PNG + b"more", "wrong_size")]
)
def test_a_picture_that_differs_from_its_announcement_is_refused(
    service: Service, manager: Person, images: str, content: bytes, code: str
) -> None:
    image_id = announce(manager, images).get_json()["id"]
    upload(service, image_id, content)

    assert problem(manager.post(f"{images}/{image_id}/complete")) == (422, code)
    assert problem(manager.post(f"{images}/{image_id}/complete")) == (404, "not_found")


def test_a_picture_without_an_upload_cannot_be_completed(manager: Person, images: str) -> None:
    image_id = announce(manager, images).get_json()["id"]

    assert problem(manager.post(f"{images}/{image_id}/complete")) == (409, "not_uploaded")


def test_completing_and_deleting_may_require_a_version(service: Service, manager: Person, images: str) -> None:
    image = announce(manager, images).get_json()
    upload(service, image["id"], PNG)
    path = f"{images}/{image['id']}"

    def complete(tags: str) -> Any:
        return manager.post(f"{path}/complete", headers={"If-Match": tags})

    assert problem(complete('"2"')) == (412, "precondition_failed")
    assert problem(complete('"7", "8"')) == (412, "precondition_failed")
    assert problem(complete("1")) == (400, "invalid_header")
    assert manager.get(images).get_json()["items"] == []
    assert complete('"7", "1"').status_code == 200
    assert problem(complete('"1"')) == (412, "precondition_failed")

    assert problem(manager.delete(path, headers={"If-Match": '"1"'})) == (412, "precondition_failed")
    assert len(manager.get(images).get_json()["items"]) == 1
    assert manager.delete(path, headers={"If-Match": '"2"'}).status_code == 204
    assert problem(manager.delete(path, headers={"If-Match": '"2", "1"'})) == (404, "not_found")


def test_pictures_of_a_lead_that_the_user_may_not_see_are_not_found(service: Service, images: str) -> None:
    agent = service.agent()

    assert problem(agent.get(images)) == (404, "not_found")
    assert problem(announce(agent, images)) == (404, "not_found")
