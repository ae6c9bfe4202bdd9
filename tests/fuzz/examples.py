"""Hypothesis strategies for the inputs of a target: tokens, random bytes, and mutated seeds."""

from hypothesis import strategies as st

from tests.fuzz.target import Target

_MAX_SEEDS = 500


def examples_of(target: Target) -> st.SearchStrategy[bytes]:
    """Return a strategy for inputs of the target."""
    scraps = st.sampled_from(target.tokens) | st.binary(max_size=4)
    made_up = st.builds(bytes.__add__, st.binary(max_size=4), st.lists(scraps, max_size=40).map(b"".join))
    seeds = [seed[: target.max_length] for seed in target.corpus()][:_MAX_SEEDS]
    return (made_up | _changed(seeds, scraps)) if seeds else made_up


@st.composite
def _changed(draw: st.DrawFn, seeds: list[bytes], scraps: st.SearchStrategy[bytes]) -> bytes:
    """Return a seed with some spans replaced."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(data)))
        end = draw(st.integers(begin, min(len(data), begin + 20)))
        data = data[:begin] + draw(scraps) * draw(st.integers(0, 3)) + data[end:]
    return data
