"""Steps are put into an order in which they can run."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.planning.pipeline.step_dependencies import cycles, order

COUNT = 12
NODES = [f"s{i}" for i in range(COUNT)]


@st.composite
def acyclic(draw):
    ranked = draw(st.permutations(NODES))
    edges = {name: draw(st.lists(st.sampled_from(ranked[:i]), max_size=4)) if i else [] for i, name in enumerate(ranked)}
    return {name: edges[name] for name in draw(st.permutations(NODES))}


@given(acyclic())
def test_every_step_comes_after_what_it_needs(edges):
    done = order(edges)
    assert sorted(done) == sorted(edges)
    assert all(done.index(needed) < done.index(name) for name, names in edges.items() for needed in names)
    assert cycles(edges) == []


@given(acyclic())
def test_the_order_is_that_of_the_file_where_it_may_be(edges):
    done = order(edges)
    position = {name: index for index, name in enumerate(edges)}
    ready = [name for name in edges if not edges[name]]
    assert done[0] == min(ready, key=position.__getitem__)


@given(st.dictionaries(st.sampled_from(NODES), st.lists(st.sampled_from([*NODES, "unknown"]), max_size=4)))
def test_a_cycle_is_found_exactly_when_no_order_exists(edges):
    found = cycles(edges)
    assert bool(found) == (len(order(edges)) < len(edges))
    for path in found:
        assert path[0] == path[-1]
        assert all(after in edges[before] for before, after in pairwise(path))


def test_a_chain_longer_than_the_stack_is_no_trouble():
    edges = {f"n{i}": [f"n{i - 1}"] if i else [] for i in range(5000)}
    assert order(edges) == list(edges)
    assert cycles(edges | {"n0": ["n4999"]})
