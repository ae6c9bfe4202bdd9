from adapters.extras import require

require("twilio", "requests", "twilio")
