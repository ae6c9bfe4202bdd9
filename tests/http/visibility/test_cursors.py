"""Test that a manager's cursor gives an agent no access."""

import pytest

from tests.http.service import Service
from tests.http.visibility.policy import markers
from tests.http.visibility.stages import STAGES
from tests.http.visibility.world import World


@pytest.fixture(scope="module")
def world() -> World:
    """The world with Grace at Ben's, and the call that Ann was to make too."""
    world = World(Service())
    for stage in STAGES[:4]:
        stage(world)
    world.relay()
    return world


@pytest.mark.parametrize("path", ["/v1/leads", "/v1/call-tasks", "/v1/call-logs", "/v1/leads/{grace}/activity"])
@pytest.mark.parametrize("viewer", ["ann", "ben", "cyd"])
def test_an_agent_with_the_cursor_of_a_manager_sees_only_their_own_items(world: World, path: str, viewer: str) -> None:
    path = path.format(grace=world.leads["Grace"].id)
    hidden = [marker.text for marker in markers(world, viewer) if not marker.visible and marker.text not in path]
    cursor = None
    pages = 0
    while pages == 0 or cursor is not None:
        query = "?limit=1" + (f"&cursor={cursor}" if cursor else "")
        shown = world.persons[viewer].get(path + query).get_data(as_text=True)
        assert [text for text in hidden if text in shown] == []
        cursor = world.send("mia", "GET", path + query).get_json()["next_cursor"]
        pages += 1
    assert pages > 2
