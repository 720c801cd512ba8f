"""One thread for many small steps of linear algebra or trees.

On matrices of a book's size a second thread gains little, and on a busy machine threads that wait for each other cost
twenty times what they compute.
"""

from threadpoolctl import threadpool_limits


def one_thread() -> threadpool_limits:
    """A context, or a decorator, in which BLAS and OpenMP use a single thread."""
    return threadpool_limits(limits=1)
