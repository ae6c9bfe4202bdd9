from adapters.extras import require

require("redis", "redis")
