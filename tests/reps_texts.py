"""What no text about reps may hold."""

import re

BANNED = re.compile(
    r"\b(best|worst|top|bottom|good|bad|weak|poor|lazy) (rep|reps|CSM|CSMs|performer|performers|person|people)\b"
    r"|\bunder-?perform|\bover-?perform|\bfire\b|\bfired\b|\bdismiss|\bsack|\bbonus|\bpenal|\bwinner|\bloser"
    r"|\bpromot(e|es|ed|ing|ion)\b"
    r"|\bdemot|\bterminat|\bsalary|\brating\b|\bpunish|\breward|\bblame|\bfault\b|\bguilty|\bfail(s|ed|ing)?\b",
    re.IGNORECASE,
)
"""Words that decide about a person."""
