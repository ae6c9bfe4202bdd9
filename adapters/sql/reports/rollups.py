"""SQL repository of rollups: calls counted per period, and per agent, source and attempt."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, func, literal, select

from adapters.sql.calls.tables import call_ledger as ledger
from adapters.sql.reports.ledger_counts import folded_calls_of_agent, recounted_calls
from adapters.sql.reports.rollup_queries import QueryPart, is_of_agent, parts_of, run_query
from adapters.sql.reports.rollup_writes import DIMENSIONS, GRAINS, add_cells, add_up_week, delete_day
from adapters.sql.reports.tables import call_rollups as rollups
from adapters.sql.reports.tables import rollup_locks as locks
from adapters.sql.reports.unfolded import (
    fold_per_agent,
    oldest_changes,
    remove_unfolded,
    select_agent_changes,
    select_all_changes,
)
from adapters.sql.statements import batches, force_index, insert_if_absent, quarter_hour_of, whole_quotient
from unite_core.periods import QUARTERS_PER_DAY, quarter_of
from unite_core.reports.ports import (
    Cell,
    Dimension,
    EntryChange,
    Grain,
    Question,
    Recounted,
    Rollups,
    Timeline,
    Totals,
    key_of,
)
from unite_core.reports.rollup_counts import changes, merged, rollup_ranges
from unite_core.reports.tally import Tally

_FOLDING = 1
"""The id of the row that is locked while entries are folded or a day is rebuilt."""


class SqlRollups(Rollups):
    """Rollups in the relational database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def results(self, questions: Sequence[Question]) -> Sequence[Mapping[str, Tally]]:
        results: list[dict[str, Tally]] = [{} for _ in questions]
        parts: list[QueryPart] = [
            part for number, question in enumerate(questions) for part in parts_of(number, question)
        ]
        # SQLite allows up to 500 parts in one statement.
        for portion in batches(parts):
            for place, label, key, tally in run_query(self._connection, portion):
                answer, times = results[portion[place].question], portion[place].times
                name = label or key
                if name not in answer and times == 1:
                    answer[name] = tally
                else:
                    answer.setdefault(name, Tally()).include(tally, times=times)
        of_agent = [number for number, question in enumerate(questions) if is_of_agent(question)]
        steps = select_agent_changes(self._connection) if of_agent else ()
        for number in of_agent:
            question = questions[number]
            if isinstance(question, Totals):
                self._complete(question, results[number], steps)
        return results

    def by_agent(self, question: Timeline) -> Mapping[tuple[str, int], Tally]:
        parts = [replace(part, dimension=Dimension.AGENT, by_key=True) for part in parts_of(0, question)]
        rows = run_query(self._connection, parts) if parts else ()
        return merged({(key, int(label)): tally} for _, label, key, tally in rows)

    def unfolded(self) -> Sequence[EntryChange]:
        return select_all_changes(self._connection)

    def claim(self, *, limit: int) -> Sequence[EntryChange]:
        self._lock()
        return oldest_changes(self._connection, limit)

    def catch_up(self, *, limit: int) -> int:
        return fold_per_agent(self._connection, limit)

    def fold(self, steps: Sequence[EntryChange], counted: Mapping[Cell, Tally]) -> None:
        add_cells(self._connection, counted)
        remove_unfolded(self._connection, steps)

    def days(self) -> Sequence[int]:
        day = func.distinct(whole_quotient(quarter_hour_of(ledger.c.called_at), literal(QUARTERS_PER_DAY)))
        called = self._connection.execute(force_index(select(day), ledger, "ix_call_ledger_called")).scalars()
        # Calls before 1970 are counted in the first quarter hour.
        days = {max(0, int(each)) for each in called}
        whole = rollups.c.dimension == DIMENSIONS[Dimension.ALL], rollups.c.grain == GRAINS[Grain.DAY]
        days.update(self._connection.execute(select(rollups.c.period).where(*whole)).scalars())
        return sorted(days)

    def recount(self, day: int) -> Sequence[Recounted]:
        self._lock()
        # A recount includes only folded entries, so that the rollups per agent have to catch up first.
        while fold_per_agent(self._connection):
            pass
        return recounted_calls(self._connection, day)

    def replace_day(self, day: int, counted: Mapping[Cell, Tally]) -> None:
        delete_day(self._connection, day)
        add_cells(self._connection, counted)
        add_up_week(self._connection, day)

    def _lock(self) -> None:
        insert_if_absent(self._connection, locks, [(_FOLDING,)])

    def _complete(self, question: Totals, answer: dict[str, Tally], steps: Sequence[EntryChange]) -> None:
        """Add what the rollups per agent lack: parts of days, and entries that an older version has folded."""
        ranges = rollup_ranges(question.start, question.end)
        for each in ranges:
            if each.grain is Grain.DAY:
                first, end = each.first * QUARTERS_PER_DAY, each.end * QUARTERS_PER_DAY
                for change in changes(steps):
                    entry = change.entry
                    if entry.agent_id == question.agent_id and first <= quarter_of(entry.called_at) < end:
                        answer.setdefault(key_of(question.by, entry), Tally()).add(entry, times=change.times)
        parts_of_days = [each for each in ranges if each.grain is Grain.QUARTER]
        for key, tally in folded_calls_of_agent(self._connection, question, parts_of_days):
            answer.setdefault(key, Tally()).include(tally)
