"""Contract tests of notices that files were uploaded."""

from contextlib import AbstractContextManager

import pytest

from unite_core.errors import Unavailable
from unite_core.files import upload_key
from unite_core.imports.ports import UploadNotice, UploadNotices
from unite_core.testing.builders import an_id
from unite_core.testing.contracts.missing import missing_fixture, missing_method


class UploadNoticesContract:
    """Derive a test class with fixtures `notices` and `outage`, and methods `announce` and `pass_time`."""

    @pytest.fixture
    def notices(self) -> UploadNotices:
        """Return the notices under test; there are none at the start of a test."""
        raise missing_fixture(self, "notices", "the `UploadNotices` under test, without any notice")

    @pytest.fixture
    def outage(self) -> AbstractContextManager[object] | None:
        """Return a context manager inside which the server fails at every call, or None if there is no server."""
        what = "a context manager inside which the server fails at every call; None if there is no server"
        raise missing_fixture(self, "outage", what)

    def announce(self, notices: UploadNotices, key: str) -> None:
        """Let the storage announce that a file was uploaded to the key."""
        raise missing_method(self, "announce", "it lets the storage announce that a file was uploaded to a key")

    def pass_time(self, notices: UploadNotices) -> None:
        """Let the time pass for which a notice is hidden after it was received."""
        raise missing_method(self, "pass_time", "it lets the time pass for which a received notice is hidden")

    @pytest.fixture
    def key(self) -> str:
        """Return the key of an upload."""
        return upload_key(f"imports/{an_id()}.csv")

    def test_without_an_upload_there_is_no_notice(self, notices: UploadNotices) -> None:
        assert notices.receive() is None

    def test_a_notice_has_the_key_of_the_upload(self, notices: UploadNotices, key: str) -> None:
        self.announce(notices, key)

        assert _received(notices).key == key

    def test_each_upload_has_a_notice_of_its_own(self, notices: UploadNotices, key: str) -> None:
        keys = {key, f"{key}.other"}
        for each in sorted(keys):
            self.announce(notices, each)

        received = [_received(notices), _received(notices)]

        assert {notice.key for notice in received} == keys
        assert len({notice.id for notice in received}) == 2
        assert all(0 < len(notice.id) <= 128 for notice in received)
        assert notices.receive() is None

    def test_a_notice_that_is_done_does_not_come_again(self, notices: UploadNotices, key: str) -> None:
        self.announce(notices, key)
        _received(notices).done()

        self.pass_time(notices)

        assert notices.receive() is None

    def test_done_deletes_that_notice_alone(self, notices: UploadNotices, key: str) -> None:
        for each in (key, f"{key}.other"):
            self.announce(notices, each)
        first, second = _received(notices), _received(notices)
        first.done()

        self.pass_time(notices)

        assert (_received(notices).key, notices.receive()) == (second.key, None)

    def test_a_notice_that_is_not_done_comes_again_with_the_same_id(self, notices: UploadNotices, key: str) -> None:
        self.announce(notices, key)
        first = _received(notices)
        assert notices.receive() is None

        self.pass_time(notices)

        again = _received(notices)
        assert (again.key, again.id) == (first.key, first.id)

    def test_a_notice_is_hidden_from_others_for_as_long_as_it_is_held(self, notices: UploadNotices, key: str) -> None:
        self.announce(notices, key)
        notice = _received(notices)

        with notice.held():
            self.pass_time(notices)
            assert notices.receive() is None
        self.pass_time(notices)

        assert _received(notices).id == notice.id

    def test_a_failure_while_a_notice_is_held_leaves_it(self, notices: UploadNotices, key: str) -> None:
        self.announce(notices, key)
        with pytest.raises(ZeroDivisionError), _received(notices).held():
            raise ZeroDivisionError

        self.pass_time(notices)

        assert _received(notices).key == key

    def test_a_notice_can_be_done_twice(self, notices: UploadNotices, key: str) -> None:
        self.announce(notices, key)
        notice = _received(notices)

        notice.done()
        notice.done()

        assert notices.receive() is None

    def test_in_an_outage_notices_are_unavailable_and_none_is_lost(
        self, notices: UploadNotices, key: str, outage: AbstractContextManager[object] | None
    ) -> None:
        self.announce(notices, key)
        notice = _received(notices)
        if outage is not None:
            with outage:
                with pytest.raises(Unavailable):
                    notices.receive()
                with pytest.raises(Unavailable):
                    notice.done()

        self.pass_time(notices)

        assert _received(notices).id == notice.id


def _received(notices: UploadNotices) -> UploadNotice:
    notice = notices.receive()
    assert notice is not None, "There is a notice, and it was not received."
    return notice
