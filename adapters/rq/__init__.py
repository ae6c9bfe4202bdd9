from adapters.extras import require

require("rq", "redis", "rq")
