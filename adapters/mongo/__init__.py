from adapters.extras import require

require("mongo", "mongoengine", "pymongo")
