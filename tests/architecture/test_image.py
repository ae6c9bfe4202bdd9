"""Tests of the image: it contains everything that the code needs."""

import re

from tests.conftest import CHECKOUT

DOCKERFILE = (CHECKOUT / "Dockerfile").read_text("utf-8")
COMPOSE = (CHECKOUT / "docker-compose.yml").read_text("utf-8")


def test_the_image_contains_every_used_service_of_aws() -> None:
    sources = [path.read_text("utf-8") for path in (CHECKOUT / "adapters" / "aws").glob("*.py")]
    spoken_to = {name for text in sources for name in re.findall(r'\.client\(\s*"([a-z0-9-]+)"', text)}

    assert spoken_to
    assert spoken_to <= set(re.findall(r"! -name ([a-z0-9-]+)", DOCKERFILE))


def test_the_image_is_built_from_the_locked_set_of_the_service_unless_another_one_is_named() -> None:
    assert re.search(r'pip .* install .*\\\n\s+--require-hashes -r "/tmp/requirements/\$\{set\}.txt" ', DOCKERFILE)
    assert re.search(r"^ARG REQUIREMENTS=service$", DOCKERFILE, re.MULTILINE)


def test_the_build_has_every_locked_set_that_contains_that_of_the_service() -> None:
    named = set(re.findall(r"^!requirements/(\w+)\.txt$", (CHECKOUT / ".dockerignore").read_text(), re.MULTILINE))

    assert named == {"otel", "service"}
    for name in named - {"service"}:
        assert "-r service.in" in (CHECKOUT / "requirements" / f"{name}.in").read_text().splitlines()


def test_every_secret_of_the_compose_stack_is_generated() -> None:
    script = (CHECKOUT / "infra" / "compose" / "make-secrets.sh").read_text("utf-8")
    expected = re.findall(r"^  (\w+): \{file: ", COMPOSE, re.MULTILINE)

    assert expected
    assert sorted(expected) == sorted(re.findall(r"^keep (\w+) ", script, re.MULTILINE))


def test_the_page_about_the_stack_names_its_services_volumes_and_secrets() -> None:
    page = (CHECKOUT / "docs" / "reference" / "compose-stack.md").read_text("utf-8")
    services = re.findall(r"^  (\w+):$", COMPOSE.partition("\nservices:")[2].partition("\nnetworks:")[0], re.MULTILINE)
    volumes = re.findall(r"^  (\w+):$", COMPOSE.partition("\nvolumes:")[2].partition("\nsecrets:")[0], re.MULTILINE)
    secrets = re.findall(r"^  (\w+): \{file: ", COMPOSE, re.MULTILINE)

    assert len(services) == 9
    assert [name for name in (*services, *volumes, *secrets) if f"`{name}`" not in page] == []
