"""Notebooks as files: run with parameters, rendered, scanned, published, indexed. Knows no table and no subject."""
