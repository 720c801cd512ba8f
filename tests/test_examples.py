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
                yield f"{room}.{name}", value


FUNCTIONS = dict(public_functions())


def examples_of(function, **names):
    names = {**vars(import_module(function.__module__)), "cs": cs, **names}
    found = doctest.DocTestFinder(recurse=False).find(function, function.__name__, globs=names)
    return [test for test in found if test.examples]


WITH_EXAMPLE = [key for key, function in FUNCTIONS.items() if examples_of(function)]


@pytest.fixture(scope="module")
def tables():
    return cs.load("data/sample")


@pytest.mark.parametrize("key", WITH_EXAMPLE)
def test_an_example_is_true_on_the_sample_company(key, tables):
    said: list[str] = []
    for test in examples_of(FUNCTIONS[key], tables=tables):
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(test, out=said.append)
    assert not said, "".join(said)


def test_every_front_door_has_an_example():
    doors = [key for key, function in FUNCTIONS.items() if hasattr(function, "__wrapped__")]
    assert len(doors) >= 40
    assert [key for key in doors if key not in WITH_EXAMPLE] == []


def test_every_public_function_has_an_example():
    assert sorted(set(FUNCTIONS) - set(WITH_EXAMPLE)) == []
