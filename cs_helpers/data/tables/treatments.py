"""How each column is treated for readers who must not identify accounts or people.

An identity (Account, Rep, User, ...) becomes a pseudonym; free text of customers is withheld; a category keeps the
values that enough accounts share; the company's own words are kept unless they name a person or account. Columns beyond
the contract are classified by their header here, and by their values in ``tables.sharing``.
"""

from __future__ import annotations

import re

WITHHELD = "withheld"
SAME_AS = "as "  # a name gets the pseudonym of the key beside it
FREE, CATEGORY, WORDS, FIXED = "free text", "category", "own words", "fixed"
KINDS = ("Account", "Rep", "User", "Ticket", "Subscription", "Candidate", "Person")

COLUMNS: dict[str, dict[str, str]] = {
    "accounts": {
        "account_id": "Account", "name": SAME_AS + "account_id", "segment": CATEGORY, "industry": CATEGORY,
        "region": CATEGORY, "country": CATEGORY, "acquisition_channel": CATEGORY,
    },
    "subscriptions": {
        "subscription_id": "Subscription", "account_id": "Account", "plan": CATEGORY, "currency": FIXED,
    },
    "renewals": {"account_id": "Account", "outcome": CATEGORY, "forecast_category": CATEGORY},
    "usage": {
        "account_id": "Account", "user_id": "User", "feature": CATEGORY, "subscription_id": "Subscription",
    },
    "tickets": {
        "ticket_id": "Ticket", "account_id": "Account", "rep_id": "Rep", "channel": CATEGORY, "priority": CATEGORY,
        "category": CATEGORY, "comment": FREE,
    },
    "surveys": {
        "kind": FIXED, "account_id": "Account", "rep_id": "Rep", "stage": FIXED, "comment": FREE, "reason": CATEGORY,
        "competitor": CATEGORY,
    },
    "touches": {"account_id": "Account", "kind": FIXED, "rep_id": "Rep", "channel": CATEGORY},
    "reps": {
        "rep_id": "Rep", "name": SAME_AS + "rep_id", "role": FIXED, "manager_id": "Rep", "team": CATEGORY,
        "segment": CATEGORY, "moved_to": CATEGORY,
    },
    "assignments": {"account_id": "Account", "rep_id": "Rep", "role": CATEGORY},
    "costs": {"item": WORDS, "currency": FIXED, "function": WORDS},
    "work_plan": {"segment": WORDS, "activity": WORDS, "value_note": FREE},
    "goals": {"metric": WORDS, "department": WORDS, "owner": "Person"},
    "touchpoints": {"touchpoint": WORDS, "stage": FIXED},
    "people_records": {
        "kind": FIXED, "rep_id": "Rep", "candidate_id": "Candidate", "course": WORDS, "process": WORDS,
    },
}  # fmt: skip
NOBODY = ("department",)  # values of ``goals.owner`` that are not a person

# Words of the headers of columns beyond the contract. The first withhold a column, the second give pseudonyms unless
# the header names a property: ``company_size`` is a category, ``company`` is a name.
_CONTACT = {
    "email", "mail", "phone", "mobile", "tel", "telephone", "fax", "website", "web", "url", "link", "domain",
    "linkedin", "twitter", "address", "street", "zip", "postcode", "postal", "vat", "iban", "duns", "id", "ids", "key",
    "uuid", "guid", "number", "note", "notes", "comment", "comments", "description", "birthday", "birth", "ip",
}  # fmt: skip
_PEOPLE = {
    "owner", "csm", "manager", "rep", "representative", "agent", "contact", "person", "executive", "exec", "sponsor",
    "champion", "assignee", "responsible", "buyer", "name", "parent", "holding", "company", "organisation",
    "organization", "customer", "client", "partner", "reseller", "brand", "employee", "user", "by", "ae", "am", "tam",
    "csa", "advisor", "consultant", "member",
}  # fmt: skip
_ABOUT = {
    "size", "type", "count", "segment", "tier", "industry", "sector", "region", "country", "score", "status", "stage",
    "level", "class", "category", "group", "channel", "source", "plan", "product", "program", "programme", "band",
    "health", "reason",
}  # fmt: skip

_CONTACT_VALUE = re.compile(
    r"[^\s@]+@[^\s@]+\.[^\s@]+|https?://|\bwww\.|^[\w-]+(\.[\w-]+)*\.[a-z]{2,}(/\S*)?$"
    r"|^(?=.*[+ (/])\+?[\d\s()/.-]{7,}$",
    re.IGNORECASE,
)


def treatment_of_header(*headers: str) -> str:
    """How a column beyond the contract is treated by its name alone: "Person", withheld, or as a category."""
    said = {
        word.lower()
        for header in headers
        for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", re.sub(r"[^A-Za-z0-9]+", " ", header))
    }
    if said & _CONTACT:
        return WITHHELD
    return "Person" if said & _PEOPLE and not said & _ABOUT else CATEGORY


def looks_like_contact(value: str) -> bool:
    """Whether a value looks like an e-mail address, a place on the web or a phone number."""
    return bool(_CONTACT_VALUE.search(value.strip()))
