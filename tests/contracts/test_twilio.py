"""Contract tests of text messages through Twilio's library, sent to a fake Twilio."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from adapters.twilio.connection import Account, Twilio
from adapters.twilio.messages import Sender, TwilioTextMessages
from tests.contracts.in_memory_units import InMemoryUnits
from tests.contracts.outages import twilio_unreachable
from tests.servers.twilio import ACCOUNT_SID, NUMBER, TwilioStandIn
from unite_core.notifications.ports import TextMessages
from unite_core.testing.contracts import SentText, TextMessagesContract, TextsOfEventsContract


class TestTextMessages(InMemoryUnits, TextMessagesContract, TextsOfEventsContract):
    @pytest.fixture(autouse=True)
    def _stand_in(self, twilio_server: TwilioStandIn) -> None:
        self.stand_in = twilio_server

    @pytest.fixture
    def texts(self, _stand_in: None) -> TwilioTextMessages:
        account = Account(sid=ACCOUNT_SID, auth_token=self.stand_in.auth_token, base_url=self.stand_in.url)
        return TwilioTextMessages(Twilio(account), sender=Sender(number=NUMBER), public_url="https://unite.example.com")

    @pytest.fixture
    def outage(self) -> AbstractContextManager[None]:
        return twilio_unreachable()

    def sent(self, _texts: TextMessages) -> Sequence[SentText]:
        return [SentText(message["to"], message["body"]) for message in self.stand_in.messages()]

    def texted(self, _texts: TextMessages) -> Sequence[UUID]:
        callbacks = (urlsplit(message["status_callback"]) for message in self.stand_in.messages())
        return [UUID(parse_qs(callback.query)["delivery"][0]) for callback in callbacks]
