"""Fixtures for the Twilio adapter: text messages to a fake Twilio."""

import pytest

from adapters.twilio.messages import TwilioTextMessages
from tests.adapters.twilio.sending import texts_by, twilio_at
from tests.servers.twilio import TwilioStandIn


@pytest.fixture
def texts(twilio_server: TwilioStandIn) -> TwilioTextMessages:
    return texts_by(twilio_at(twilio_server))
