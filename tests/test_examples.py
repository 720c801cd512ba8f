"""Every public function has an example, and every example is true on the sample company."""

import doctest
import inspect
from importlib import import_module

import pytest

import cs_helpers as cs
from cs_helpers.subjects import SUBJECTS

ROOMS = (*SUBJECTS, "data", "report", "core.stats", "core.periods", "core.metrics")


def public_functions():
    for room in ROOMS:
        module = import_module(f"cs_helpers.{room}")
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if inspect.isfunction(value):
                yield pytest.param(value, id=f"{room}.{name}")


@pytest.fixture(scope="module")
def tables():
    return cs.load("data/sample")


@pytest.mark.parametrize("function", public_functions())
def test_has_an_example_that_runs_on_the_sample_company(function, tables):
    names = {"cs": cs, "tables": tables, **vars(import_module(function.__module__))}
    found = doctest.DocTestFinder(recurse=False).find(function, function.__name__, globs=names)
    examples = [example for test in found for example in test.examples]
    assert examples, f"{function.__module__}.{function.__name__} has no example in its docstring"
    said: list[str] = []
    for test in found:
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(test, out=said.append)
    assert not said, "".join(said)
