"""What a connection is told of the unit of work that it is for."""

READING = "unite_reading"
"""The execution option of a connection that only reads."""
