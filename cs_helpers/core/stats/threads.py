"""Limits linear algebra and tree learners to one thread.

On matrices of this size a second thread gains little, and on a busy machine threads that wait for each other can take
twenty times as long.
"""

from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


@cache
def _controller(loaded: str) -> ThreadpoolController:
    return ThreadpoolController()


def one_thread(loaded: str = "") -> Any:
    """A context in which BLAS and OpenMP use a single thread.

    Looking for the libraries of a process takes milliseconds and is done once, and once more for each library that is
    named as ``loaded`` since.
    """
    return _controller(loaded).limit(limits=1)
