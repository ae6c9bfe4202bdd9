from adapters.extras import require

require("sql", "sqlalchemy", "alembic", "orjson", "pymysql")
