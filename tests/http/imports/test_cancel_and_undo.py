"""Tests of dry runs, cancellations and undos of imports over HTTP."""

from datetime import datetime, timedelta

from tests.http.imports.scenario import (
    IMPORTS,
    TWO_LEADS,
    import_file,
    import_scenario,
    json_of,
    list_leads,
    list_rejections,
    run_one_chunk,
    upload_file,
)
from tests.http.service import HttpScenario
from unite_core.testing.in_memory import FixedClock

MANY = b"Name,Phone\n" + b"".join(b"Lead %d,+1212%07d\n" % (number, 2_000_000 + number) for number in range(3000))


def test_a_dry_run_returns_its_counts_and_changes_nothing(scenario: HttpScenario) -> None:
    import_file(scenario.manager, b"Name,Phone\nAda,+12125550100\n")
    rows = b"Name,Phone\nAda L.,+12125550100\nGrace,+12125550101\nGrace again,+12125550101\n,1\n"

    done = import_file(scenario.manager, rows, dry_run=True)

    assert done["options"]["dry_run"] is True
    assert done["counts"] == {"rows": 4, "created": 1, "updated": 0, "duplicate": 2, "rejected": 1}
    assert [lead["name"] for lead in list_leads(scenario.manager)] == ["Ada"]
    repeated = [row["duplicate_of"] for row in list_rejections(scenario.manager, done["id"], "?kind=duplicate")]
    assert [(each["lead_id"] is None, each["row"]) for each in repeated] == [(False, None), (True, 3)]


def test_filled_cells_overwrite_a_lead_if_the_option_is_set(scenario: HttpScenario) -> None:
    import_file(scenario.manager, TWO_LEADS)

    done = import_file(scenario.manager, b"Name,Phone,Email\nAda King,+12125550100,\n", on_duplicate="update")

    assert done["counts"]["updated"] == 1
    assert ("Ada King", "ada@example.com") in {(lead["name"], lead["email"]) for lead in list_leads(scenario.manager)}


class TestCancelling:
    def test_a_queued_import_is_cancelled_at_once(self, scenario: HttpScenario) -> None:
        coming = json_of(upload_file(scenario.manager, TWO_LEADS))

        cancelled = scenario.manager.post(f"{IMPORTS}/{coming['id']}/cancel")
        scenario.service.run_jobs()

        assert (cancelled.status_code, json_of(cancelled)["status"]) == (200, "cancelled")
        assert cancelled.headers["ETag"] == '"2"'
        assert list_leads(scenario.manager) == []

    def test_a_running_import_stops_before_its_next_chunk_and_keeps_its_rows(self, scenario: HttpScenario) -> None:
        coming = json_of(upload_file(scenario.manager, MANY))
        run_one_chunk(scenario, coming["id"])

        asked = json_of(scenario.manager.post(f"{IMPORTS}/{coming['id']}/cancel"))
        scenario.service.run_jobs()

        done = json_of(scenario.manager.get(f"{IMPORTS}/{coming['id']}"))
        assert asked["status"] == "running"
        assert (done["status"], done["counts"]["created"]) == ("cancelled", 2000)

    def test_cancelling_twice_changes_nothing(self, scenario: HttpScenario) -> None:
        coming = json_of(upload_file(scenario.manager, TWO_LEADS))

        first, second = (scenario.manager.post(f"{IMPORTS}/{coming['id']}/cancel") for _ in range(2))

        assert (second.status_code, second.data) == (200, first.data)

    def test_an_ended_import_cannot_be_cancelled(self, scenario: HttpScenario) -> None:
        done = import_file(scenario.manager, TWO_LEADS)

        late = scenario.manager.post(f"{IMPORTS}/{done['id']}/cancel")

        assert (late.status_code, json_of(late)["code"]) == (409, "import_ended")

    def test_it_may_require_a_version(self, scenario: HttpScenario) -> None:
        coming = json_of(upload_file(scenario.manager, TWO_LEADS))

        stale = scenario.manager.post(f"{IMPORTS}/{coming['id']}/cancel", {"If-Match": '"99"'})
        fresh = scenario.manager.post(f"{IMPORTS}/{coming['id']}/cancel", {"If-Match": f'"{coming["version"]}"'})

        assert (stale.status_code, fresh.status_code) == (412, 200)

    def test_it_is_performed_once_per_key(self, scenario: HttpScenario) -> None:
        coming = json_of(upload_file(scenario.manager, MANY))
        run_one_chunk(scenario, coming["id"])
        key = {"Idempotency-Key": "stop"}
        first = scenario.manager.post(f"{IMPORTS}/{coming['id']}/cancel", key)
        scenario.service.run_jobs()

        second = scenario.manager.post(f"{IMPORTS}/{coming['id']}/cancel", key)

        assert (second.data, second.headers["Idempotency-Replayed"]) == (first.data, "true")


class TestUndoing:
    def test_created_leads_that_were_not_changed_since_are_removed(self, scenario: HttpScenario) -> None:
        done = import_file(scenario.manager, TWO_LEADS)
        grace = next(lead for lead in list_leads(scenario.manager) if lead["name"] == "Grace Hopper")
        scenario.manager.patch(f"/v1/leads/{grace['id']}", json={"name": "Admiral Hopper"})

        undone = scenario.manager.post(f"{IMPORTS}/{done['id']}/undo")

        assert undone.status_code == 200
        assert json_of(undone)["undo"] == {
            "removed": 1,
            "restored": 0,
            "kept": 1,
            "finished_at": "2026-03-02T09:00:00Z",
        }
        assert [lead["name"] for lead in list_leads(scenario.manager)] == ["Admiral Hopper"]

    def test_updated_leads_are_restored(self, scenario: HttpScenario) -> None:
        import_file(scenario.manager, TWO_LEADS)
        update = import_file(scenario.manager, b"Name,Phone\nAda King,+12125550100\n", on_duplicate="update")

        undone = json_of(scenario.manager.post(f"{IMPORTS}/{update['id']}/undo"))

        assert undone["undo"]["restored"] == 1
        assert {lead["name"] for lead in list_leads(scenario.manager)} == {"Ada Lovelace", "Grace Hopper"}

    def test_a_large_undo_continues_after_the_response(self) -> None:
        class Ticking(FixedClock):
            """A clock that advances whenever it is read, so that the time of a response is over after one step."""

            ticking = False

            def now(self) -> datetime:
                if self.ticking:
                    self.advance(timedelta(milliseconds=20))
                return super().now()

        clock = Ticking()
        scenario = import_scenario(clock=clock)
        done = import_file(scenario.manager, MANY)
        clock.ticking = True

        undoing = scenario.manager.post(f"{IMPORTS}/{done['id']}/undo")
        clock.ticking = False
        scenario.service.run_jobs()

        begun = json_of(undoing)["undo"]
        finished = json_of(scenario.manager.get(f"{IMPORTS}/{done['id']}"))["undo"]
        assert (undoing.status_code, begun["finished_at"]) == (202, None)
        assert 0 < begun["removed"] < 3000
        assert finished["removed"] == 3000
        assert finished["finished_at"] is not None
        assert list_leads(scenario.manager) == []

    def test_undoing_twice_changes_nothing(self, scenario: HttpScenario) -> None:
        done = import_file(scenario.manager, TWO_LEADS)

        first, second = (scenario.manager.post(f"{IMPORTS}/{done['id']}/undo") for _ in range(2))

        assert (second.status_code, second.data) == (200, first.data)

    def test_an_import_that_has_not_ended_cannot_be_undone(self, scenario: HttpScenario) -> None:
        coming = json_of(upload_file(scenario.manager, TWO_LEADS))

        early = scenario.manager.post(f"{IMPORTS}/{coming['id']}/undo")

        assert (early.status_code, json_of(early)["code"]) == (409, "import_not_ended")

    def test_a_dry_run_cannot_be_undone(self, scenario: HttpScenario) -> None:
        done = import_file(scenario.manager, TWO_LEADS, dry_run=True)

        refused = scenario.manager.post(f"{IMPORTS}/{done['id']}/undo")

        assert (refused.status_code, json_of(refused)["code"]) == (409, "nothing_to_undo")

    def test_an_import_that_never_ran_cannot_be_undone(self, scenario: HttpScenario) -> None:
        coming = json_of(upload_file(scenario.manager, TWO_LEADS))
        scenario.manager.post(f"{IMPORTS}/{coming['id']}/cancel")

        refused = scenario.manager.post(f"{IMPORTS}/{coming['id']}/undo")

        assert (refused.status_code, json_of(refused)["code"]) == (409, "nothing_to_undo")
        assert json_of(scenario.manager.get(f"{IMPORTS}/{coming['id']}"))["undo"] is None

    def test_it_may_require_a_version(self, scenario: HttpScenario) -> None:
        done = import_file(scenario.manager, TWO_LEADS)

        stale = scenario.manager.post(f"{IMPORTS}/{done['id']}/undo", {"If-Match": '"99"'})
        fresh = scenario.manager.post(f"{IMPORTS}/{done['id']}/undo", {"If-Match": f'"{done["version"]}"'})

        assert (stale.status_code, fresh.status_code) == (412, 200)

    def test_the_same_file_can_be_imported_again_afterwards(self, scenario: HttpScenario) -> None:
        done = import_file(scenario.manager, TWO_LEADS)
        scenario.manager.post(f"{IMPORTS}/{done['id']}/undo")

        again = import_file(scenario.manager, TWO_LEADS)

        assert again["id"] != done["id"]
        assert again["counts"]["created"] == 2
