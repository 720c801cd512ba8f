"""Durations and amounts of memory as people write them, such as ``30m`` and ``4GB``."""

from __future__ import annotations

import re
from pathlib import Path

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_BYTES = {"MB": 10**6, "GB": 10**9, "MIB": 2**20, "GIB": 2**30}
_MIN_BYTES = 100 * 10**6


def seconds(text: str) -> float:
    """``90``, ``90s``, ``30m``, ``1h`` or ``1.5h`` in seconds. Raises ValueError with the accepted forms."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]?)", text.strip().lower())
    if not found or found[2] not in _SECONDS or not float(found[1]):
        raise ValueError(f"'{text}' is not a duration. Write it like 90s, 30m or 2h.")
    return float(found[1]) * _SECONDS[found[2]]


def bytes_of(text: str) -> int:
    """``500MB``, ``4GB`` or ``4GiB`` in bytes, at least 100 MB. Raises ValueError with the accepted forms."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Z]+)", text.strip().upper())
    if not found or found[2] not in _BYTES:
        raise ValueError(f"'{text}' is not an amount of memory. Write it like 800MB or 4GB.")
    amount = int(float(found[1]) * _BYTES[found[2]])
    if amount < _MIN_BYTES:
        raise ValueError(f"'{text}' is too little memory for a notebook. The minimum is 100MB.")
    return amount


def fair_memory(jobs: int) -> int:
    """Memory limit of each of ``jobs`` reports in bytes: three quarters of the memory of this machine or container."""
    import psutil

    there = psutil.virtual_memory().total
    try:
        told = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        there = min(there, int(told)) if told.isdigit() else there
    except OSError:
        pass  # not in a container, or not Linux
    return int(there * 0.75 / max(1, jobs))


def in_words(length: float) -> str:
    """A duration for a message: ``45 s``, ``30 min``, ``2 h``."""
    if length < 120:
        return f"{length:g} s"
    return f"{length / 60:g} min" if length < 7200 else f"{length / 3600:g} h"


def size_in_words(amount: float) -> str:
    """An amount of memory for a message: ``820 MB``, ``4.1 GB``."""
    return f"{amount / 1e6:,.0f} MB" if amount < 1e9 else f"{amount / 1e9:,.1f} GB"
