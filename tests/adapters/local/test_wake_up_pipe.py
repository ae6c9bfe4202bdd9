"""Tests of the named pipe that wakes the workers of a data folder."""

from pathlib import Path
from threading import Timer
from time import monotonic
from uuid import UUID

from adapters.local.wake_up_pipe import PIPE, LocalJobs

ANY = UUID(int=7)


def test_a_waiting_worker_is_woken(tmp_path: Path) -> None:
    with LocalJobs(tmp_path).listen() as wake_ups:
        begun = monotonic()
        Timer(0.1, LocalJobs(tmp_path).run_import, [ANY]).start()

        assert wake_ups.wait(30)
        assert monotonic() - begun < 10


def test_an_undo_wakes_the_worker(tmp_path: Path) -> None:
    with LocalJobs(tmp_path).listen() as wake_ups:
        LocalJobs(tmp_path).undo_import(ANY)

        assert wake_ups.wait(30)


def test_several_wake_ups_are_received_as_one(tmp_path: Path) -> None:
    jobs = LocalJobs(tmp_path)
    with jobs.listen() as wake_ups:
        for _ in range(50):
            jobs.wake()

        assert wake_ups.wait(30)
        assert not wake_ups.wait(0)


def test_a_wake_up_without_a_listening_worker_is_lost(tmp_path: Path) -> None:
    jobs = LocalJobs(tmp_path)
    jobs.run_import(ANY)
    jobs.listen().close()
    jobs.run_import(ANY)

    with jobs.listen() as wake_ups:
        assert not wake_ups.wait(0)


def test_a_worker_that_does_not_read_the_pipe_blocks_nobody(tmp_path: Path) -> None:
    jobs = LocalJobs(tmp_path)
    with jobs.listen() as wake_ups:
        for _ in range(70_000):  # more than a pipe holds
            jobs.wake()

        assert wake_ups.wait(0)


def test_two_workers_can_listen_at_the_same_time(tmp_path: Path) -> None:
    jobs = LocalJobs(tmp_path)
    with jobs.listen() as one, jobs.listen() as other:
        jobs.wake()

        assert one.wait(30) or other.wait(30)


def test_a_regular_file_in_place_of_the_pipe_is_left_unchanged(tmp_path: Path) -> None:
    (tmp_path / PIPE).write_text("mine")

    LocalJobs(tmp_path).run_import(ANY)

    assert (tmp_path / PIPE).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [PIPE]
