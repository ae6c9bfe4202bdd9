"""What a connection is told of the unit of work that it is for."""

READ_ONLY = "unite_reading"
"""The execution option of a connection that only reads."""
