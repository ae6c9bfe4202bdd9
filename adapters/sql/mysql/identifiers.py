"""Names of tables and columns in SQL text for MySQL."""


def quoted(name: str) -> str:
    """Return a name in backticks, with each percent sign doubled for the driver."""
    return "`" + name.replace("`", "``").replace("%", "%%") + "`"
