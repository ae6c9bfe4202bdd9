"""The execution option that marks a connection as read-only."""

READ_ONLY = "unite_reading"
"""Name of the execution option; True for a connection that only reads."""
