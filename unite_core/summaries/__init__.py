"""Daily summaries: who gets the figures of a day by text message, at which local time."""
