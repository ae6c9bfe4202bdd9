"""The daily summary: who asked for it, and who gets it at which local time."""
