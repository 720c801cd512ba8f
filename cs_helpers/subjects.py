"""The subjects of the toolkit: one folder each, under the same name.

Adding a subject is its folder, its notebook, its tests and one line here. Public names, the kernel's preload, the
import rules, the leak scan's word list and the lookup of definitions are derived from this tuple, so this module
imports nothing.
"""

SUBJECTS = (
    "retention",
    "churn",
    "roi",
    "reps",
)
