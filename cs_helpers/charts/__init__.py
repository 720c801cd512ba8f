"""Results in, figures out; nothing here computes a number that a reader might quote.

Each function draws one kind of result on a ``Figure`` of its own and takes ``narrow=True`` for a phone. Findings, alt
texts and captions are words, and words live in ``show``.
"""


__all__ = [
]


def __dir__() -> list[str]:
    return __all__  # what Tab offers: no helper, no imported library
