"""What a reader sees: views of results, page components, words, the chart kit.

In a notebook: ``cover``, ``summary``, ``caveats``, ``glossary``, ``quality``, ``provenance``.
"""

from cs_helpers.report.page import caveats, cover, glossary, provenance, quality, summary

__all__ = ["caveats", "cover", "glossary", "provenance", "quality", "summary"]
