"""Tests of the in-memory application and the builders that the library ships."""

from unite_core import UNSET, LeadFilter, NewLead, PageRequest, Rules
from unite_core.testing.builders import an_actor, csv_bytes
from unite_core.testing.in_memory import SequentialIds, in_memory_unite


def test_every_in_memory_application_is_independent() -> None:
    one, other = in_memory_unite(), in_memory_unite(Rules(logins_per_minute=0), ids=SequentialIds(1))
    actor = an_actor()

    lead = other.leads.add(actor, NewLead(name="Grace", phone="+12125550123"))

    assert lead.id.int >> 80 == 1
    assert one.leads.list(actor, LeadFilter(), PageRequest()).items == []


def test_rows_of_csv_files_are_mappings_by_header() -> None:
    rows = [{"Phone": "+12125550123", "Name": "Hopper, Grace"}, {"Email": "ada@example.com"}]

    assert csv_bytes(rows) == b'Name,Phone,Email\r\n"Hopper, Grace",+12125550123,\r\n,,ada@example.com\r\n'


def test_the_repr_of_unset_is_its_name() -> None:
    assert repr(UNSET) == "UNSET"
