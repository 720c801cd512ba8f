"""Draws that depend on their key alone, so that what is drawn for one account never moves another."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from hashlib import blake2b
from typing import TypeVar

from cs_helpers.data.sample.parameters import EDITION

Option = TypeVar("Option")


class Draws:
    """An endless row of uniform numbers in [0, 1) that depends on its key alone."""

    def __init__(self, *key: object):
        self._key = "/".join(map(str, (EDITION, *key)))
        self._block = 0
        self._waiting: list[float] = []

    def uniform(self) -> float:
        if not self._waiting:
            digest = blake2b(f"{self._key}#{self._block}".encode(), digest_size=64).digest()
            self._waiting = [(word >> 11) / 9007199254740992 for word in struct.unpack(">8Q", digest)]
            self._block += 1
        return self._waiting.pop()

    def chance(self, probability: float) -> bool:
        return self.uniform() < probability

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self.uniform() * (high - low + 1))

    def pick(self, shares: Mapping[Option, float]) -> Option:
        """One of the keys; the shares add up to one."""
        left = self.uniform()
        for option, share in shares.items():
            left -= share
            if left < 0:
                return option
        return option

    def count(self, mean: float, high: int = 6) -> int:
        """How many happen when ``high`` could, with that mean: close to Poisson without exp()."""
        return len([n for n in range(high) if self.uniform() < mean / high])

    def skewed(self, reach: float) -> float:
        """A product of three uniform factors from 1 to 1 + reach: many small, few large, as a log-normal has."""
        return (1 + reach * self.uniform()) * (1 + reach * self.uniform()) * (1 + reach * self.uniform())

    def bell(self) -> float:
        """A number around 0 with standard deviation 1, from -3 to 3: close to normal without exp()."""
        return 2 * (self.uniform() + self.uniform() + self.uniform() - 1.5)
