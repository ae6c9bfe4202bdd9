"""Text messages by Twilio's own library keep the contract, sent to what stands in for Twilio."""

from collections.abc import Sequence

import pytest

from adapters.twilio.connection import Account, Twilio
from adapters.twilio.messages import Sender, TwilioTextMessages
from tests.servers.twilio import ACCOUNT_SID, NUMBER, TwilioStandIn
from unite_core.notifications.ports import TextMessages
from unite_core.testing.contracts import TextMessagesContract


class TestTextMessages(TextMessagesContract):
    @pytest.fixture(autouse=True)
    def _stand_in(self, twilio_server: TwilioStandIn) -> None:
        self.stand_in = twilio_server

    @pytest.fixture
    def texts(self, _stand_in: None) -> TwilioTextMessages:
        account = Account(sid=ACCOUNT_SID, auth_token=self.stand_in.auth_token, base_url=self.stand_in.url)
        return TwilioTextMessages(Twilio(account), sender=Sender(number=NUMBER), public_url="https://unite.example.com")

    def sent(self, _texts: TextMessages) -> Sequence[str]:
        return self.stand_in.bodies()
