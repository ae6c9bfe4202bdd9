"""What ships for the tests of others works as its docstrings say."""

from unite_core import UNSET, LeadFilter, NewLead, PageRequest, Rules
from unite_core.testing.builders import an_actor, csv_bytes
from unite_core.testing.in_memory import SequentialIds, in_memory_unite


def test_each_unite_in_memory_is_a_world_of_its_own() -> None:
    one, other = in_memory_unite(), in_memory_unite(Rules(logins_per_minute=0), ids=SequentialIds(1))
    actor = an_actor()

    lead = other.leads.add(actor, NewLead(name="Grace", phone="+12125550123"))

    assert lead.id.int >> 80 == 1
    assert one.leads.list(actor, LeadFilter(), PageRequest()).items == []


def test_rows_are_given_by_header() -> None:
    rows = [{"Phone": "+12125550123", "Name": "Hopper, Grace"}, {"Email": "ada@example.com"}]

    assert csv_bytes(rows) == b'Name,Phone,Email\r\n"Hopper, Grace",+12125550123,\r\n,,ada@example.com\r\n'


def test_what_is_left_as_it_is_says_so_in_a_trace() -> None:
    assert repr(UNSET) == "UNSET"
