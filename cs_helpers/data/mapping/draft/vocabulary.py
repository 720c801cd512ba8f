"""What exports call the contract's columns: words of CRM, billing and help-desk systems, some in German and French.

Phrases are compared by ``squash``: ``Customer ID``, ``customerID`` and ``customer_id`` are one word. Earlier ones win.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from zoneinfo import available_timezones

_ACCOUNT = (
    "account id, account, customer id, customer, client id, company id, organization id, organisation id, org id, "
    "account number, account no, account key, account code, account external id, customer number, customer no, "
    "customer key, customer code, client number, client no, tenant id, workspace id, company record id, associated "
    "company id, associated company ids, primary associated company, organization, organisation, client, "
    "kundennummer, kunden id, kundennr, kunden nr, kunde, debitorennummer, numero client, numero de client, id "
    "client, code client, company"
)
_REP = (
    "rep id, agent id, assignee id, owner id, user id, employee id, agent, assignee, assigned to, owner, case "
    "owner, case owner id, ticket owner, account owner, company owner, teammate, teammate id, agent name, assignee "
    "name, owner name, handled by, csm, csm id, csm name, customer success manager, success manager, rep, "
    "representative, closed by, teammate assigned, assignee email, bearbeiter, betreuer, mitarbeiter id, conseiller"
)
_START = (
    "start date, started at, start, subscription start, subscription start date, contract start, contract start "
    "date, begin date, valid from, activated at, activated on, activation date, effective date, service start, from "
    "date, period start, starts on, start on, vertragsbeginn, beginn, startdatum, gultig ab, date de debut, debut, "
    "created"
)
_END = (
    "end date, ended at, end, subscription end, subscription end date, contract end, contract end date, valid to, "
    "valid until, cancelled at, canceled at, cancellation date, cancel date, cancelled on, canceled on, churn date, "
    "churned at, termination date, terminated on, expiry date, expiration date, to date, period end, ends on, "
    "vertragsende, ende, enddatum, gultig bis, kundigungsdatum, gekundigt am, date de fin, fin, date de resiliation"
)
_HAPPENED = (
    "occurred at, event time, event date, timestamp, event timestamp, usage date, activity date, happened at, date, "
    "day, logged at, event at, date time, datetime, time, created at, completed at, due date, datum, zeitstempel, "
    "date d utilisation"
)

SYNONYMS: dict[str, dict[str, str]] = {
    "accounts": {
        "account_id": f"{_ACCOUNT}, record id, id",
        "name": (
            "account name, company name, company, organization name, organisation name, customer name, client name, "
            "business name, legal name, organization, organisation, customer, client, firma, firmenname, "
            "unternehmen, kundenname, kunde, nom, nom du client, societe, entreprise, raison sociale"
        ),
        "segment": (
            "customer segment, size class, company size, account segment, service tier, customer tier, account "
            "tier, tier, segmentation, customer type, kundensegment"
        ),
        "industry": (
            "sector, vertical, line of business, industry sector, account industry, branche, secteur, industrie"
        ),
        "region": (
            "sales region, territory, sales territory, state, province, us region, geo, bundesland, gebiet, "
            "vertriebsgebiet, region de vente"
        ),
        "country": (
            "country region, billing country, country code, mailing country, billing address country, company "
            "country, land, pays"
        ),
        "employees": (
            "number of employees, employee count, num employees, headcount, no of employees, staff, mitarbeiter, "
            "mitarbeiterzahl, anzahl mitarbeiter, effectif, nombre d employes"
        ),
        "signup_date": (
            "sign up date, signed up, signed up at, signed up on, customer since, registration date, registered, "
            "registered at, became a customer date, account created, account created date, created date, created "
            "at, create date, date created, creation date, created on, created, created utc, company created at, "
            "join date, joined, joined at, opened on, kunde seit, anlagedatum, erstellt am, registriert am, client "
            "depuis, date de creation, date d inscription"
        ),
        "acquisition_channel": (
            "referral source, lead source, channel, acquisition source, account source, marketing channel, original "
            "source, original traffic source, utm source, source, how heard, herkunft, quelle, canal, canal d "
            "acquisition"
        ),
        "gross_margin": "margin, margin rate, bruttomarge, marge brute",
    },
    "subscriptions": {
        "subscription_id": (
            "subscription, subscription number, subscription key, contract id, contract number, contract no, sub "
            "id, contract key, vertragsnummer, vertrags id, abo id, vertrag, numero de contrat, abonnement id, id "
            "abonnement, id"
        ),
        "account_id": _ACCOUNT,
        "start_date": _START,
        "end_date": _END,
        "mrr": (
            "mrr amount, monthly recurring revenue, monthly charges, monthly charge, monthly fee, monthly price, "
            "monthly amount, monthly revenue, amount per month, price per month, recurring revenue, monthly value, "
            "monatsbetrag, monatspreis, monatlicher betrag, monatsgebuhr, montant mensuel, prix mensuel, revenu "
            "mensuel"
        ),
        "plan": (
            "plan name, plan tier, product, product name, subscription plan, price plan, package, edition, plan id, "
            "plan code, item price id, tier, tarif, produkt, paket, offre, forfait, "
            "formule, produit"
        ),
        "seats": (
            "licenses, licences, number of seats, seat count, quantity, users, user count, plan quantity, number of "
            "users, lizenzen, anzahl lizenzen, platze, sieges, nombre de licences"
        ),
        "currency": "currency code, currency iso code, wahrung, devise",
        "term_months": (
            "term, contract term, contract term months, contract length, contract duration, contract, commitment, "
            "term length, laufzeit, vertragslaufzeit, duree, duree du contrat, engagement"
        ),
        "is_trial": "trial, trial flag, on trial, in trial, testphase, essai",
        "discount_rate": "discount, discount percent, discount percentage, rabatt, remise",
        "notice_date": (
            "notice given, notice given at, cancellation notice date, cancel requested at, kundigungseingang, preavis"
        ),
    },
    "renewals": {
        "account_id": _ACCOUNT,
        "due_date": (
            "renewal date, renewal due date, contract renewal date, renews on, renewal due, due on, verlangerung am"
        ),
        "target_mrr": "renewal target, target amount, expiring mrr, mrr up for renewal, renewal mrr",
        "renewed_mrr": "mrr renewed, renewed amount",
        "decided_date": "decision date, decided on, decided at, closed date, close date",
        "outcome": "result, renewal outcome, renewal status, stage, stage name, status, ergebnis, resultat",
        "forecast_category": "forecast, forecast category name",
    },
    "usage": {
        "account_id": _ACCOUNT,
        "occurred_at": _HAPPENED,
        "user_id": "user, member id, user key, contact id, benutzer, benutzer id, utilisateur",
        "feature": (
            "feature name, event name, event, event type, action, module, feature used, funktion, fonctionnalite"
        ),
        "quantity": (
            "usage count, count, event count, number of events, uses, events, times used, anzahl, nombre, quantite"
        ),
        "minutes": (
            "usage duration, duration, time spent, session duration, session length, usage minutes, dauer, duree"
        ),
        "subscription_id": "subscription, subscription number, contract id, vertragsnummer",
    },
    "tickets": {
        "ticket_id": (
            "ticket, ticket number, ticket no, case number, case id, call id, conversation id, incident id, "
            "incident number, request id, issue id, chat id, contact id, ticketnummer, vorgangsnummer, fallnummer, "
            "numero de ticket, id"
        ),
        "opened_at": (
            "created at, submitted at, opened, open date, opened date, date time opened, date opened, created date, "
            "create date, created, ticket created at, conversation started at, started at, call date, requested at, "
            "received at, reported at, created time, date, submitted, call time, start time, eroffnet am, erstellt "
            "am, eingang, ouvert le, date d ouverture, datum"
        ),
        "account_id": _ACCOUNT,
        "rep_id": _REP,
        "first_response_at": (
            "first reply at, first replied at, first responded at, first agent reply date, first answer at, first "
            "response date, first response, first admin reply at, erste antwort am"
        ),
        "resolved_at": (
            "solved at, closed at, close date, closed date, date time closed, resolution date, resolved date, "
            "solved, closed, last closed at, completed at, geschlossen am, gelost am, ferme le, resolu le, date de "
            "resolution"
        ),
        "channel": "via, ticket channel, contact channel, case origin, origin, ticket source, source, kanal, canal",
        "priority": "severity, urgency, ticket priority, case priority, prioritat, priorite, urgence",
        "category": (
            "topic, ticket category, ticket type, issue type, case reason, case type, type, issue, reason, "
            "conversation topic, kategorie, thema, categorie, sujet"
        ),
        "wait_seconds": (
            "speed of answer, wait time, waiting time, wait, queue time, time to answer, wartezeit, temps d attente"
        ),
        "answered": "was answered, picked up, call answered, angenommen, repondu",
        "contacts": "number of contacts, contact count, touches, number of touches",
        "reopened": "was reopened, is reopened, reopen, reopen count, reopens, wieder geoffnet, rouvert",
        "escalated": "is escalated, was escalated, escalation, eskaliert, escalade",
        "handle_minutes": (
            "handle time, handling time, average handle time, aht, talk time, talk duration, avg talk duration, "
            "average talk duration, call duration, time to handle, bearbeitungszeit, gesprachsdauer, duree d appel"
        ),
        "csat": (
            "satisfaction, satisfaction rating, satisfaction score, csat score, csat rating, customer satisfaction, "
            "rating, conversation rating, zufriedenheit, note de satisfaction"
        ),
        "ces": "effort score, customer effort score, customer effort, effort",
        "comment": (
            "satisfaction comment, csat comment, rating remark, feedback, customer comment, kommentar, commentaire"
        ),
    },
    "surveys": {
        "kind": "survey, survey type, survey kind, survey name, type",
        "sent_at": (
            "sent, sent on, sent date, asked at, survey sent at, invited at, invitation date, versendet am, envoye le"
        ),
        "answered_at": (
            "answered, answered on, responded at, response date, submitted at, submitted, completed at, survey "
            "date, response time stamp, date, created at, beantwortet am, repondu le"
        ),
        "account_id": _ACCOUNT,
        "rep_id": _REP,
        "stage": "survey stage",
        "score": "rating, nps, nps score, csat, csat score, ces, answer, response, value, note, bewertung, punkte",
        "comment": "feedback, verbatim, feedback text, answer text, open answer, reason text, kommentar, commentaire",
        "reason": "reason code, churn reason, cancellation reason, exit reason, grund, motif",
        "competitor": "lost to, switched to, new vendor, wettbewerber, concurrent",
    },
    "touches": {
        "account_id": _ACCOUNT,
        "occurred_at": _HAPPENED,
        "kind": (
            "touch type, type, activity type, meeting type, engagement type, touch, kind of touch, activity, category"
        ),
        "rep_id": _REP,
        "hours": "duration, duration hours, time spent, dauer, duree",
        "channel": "medium, via, kanal, canal",
    },
    "reps": {
        "rep_id": (
            "agent id, owner id, user id, employee id, employee number, staff id, personnel number, personalnummer, id"
        ),
        "name": "full name, rep name, agent name, employee name, agent, display name, nom",
        "role": "job title, title, position, function, rolle, poste",
        "manager_id": "manager, reports to, supervisor, supervisor id, vorgesetzter",
        "team": "team name, group, squad, equipe",
        "segment": "segment served, book",
        "hired_on": "hire date, hired, start date, date hired, joined on, eintrittsdatum, date d embauche",
        "left_on": "leave date, left, end date, termination date, exit date, austrittsdatum, date de depart",
        "moved_to": "moved to department, new department, transferred to",
        "annual_cost": (
            "annual salary, salary, yearly cost, total cost, fully loaded cost, jahresgehalt, salaire annuel"
        ),
        "working_hours_per_month": "hours per month, monthly hours, contracted hours",
    },
    "assignments": {
        "account_id": _ACCOUNT,
        "rep_id": _REP,
        "start_date": f"assigned from, assigned on, assigned at, {_START}",
        "end_date": f"assigned to date, assigned until, unassigned at, {_END}",
        "role": "assignment role, rolle",
    },
    "costs": {
        "month": "period, cost month, date, monat, mois",
        "item": "cost item, cost type, category, cost category, description, position, poste",
        "amount": "cost, costs, total, value, betrag, kosten, montant, cout",
        "function": "department, cost center, cost centre, abteilung, kostenstelle",
    },
    "work_plan": {
        "segment": "customer segment, tier",
        "activity": "task, touch, work",
        "times_per_year": "frequency, per year, frequency per year",
        "preparation_hours": "preparation, prep hours",
        "delivery_hours": "delivery, meeting hours",
        "follow_up_hours": "follow up, followup hours",
        "value_note": "value, note",
    },
    "goals": {
        "metric": "kpi, goal, measure, kennzahl",
        "department": "team, function, abteilung",
        "target": "target value, goal value, zielwert, ziel, objectif, cible",
        "period_start": _START,
        "period_end": _END,
        "owner": "responsible, goal owner",
        "baseline": "baseline value, start value, ausgangswert",
    },
    "touchpoints": {
        "date": "day, datum",
        "touchpoint": "touch point, page, channel, campaign",
        "stage": "funnel stage, journey stage, phase",
        "impressions": "views, page views",
        "clicks": "click count",
        "exits": "exit count",
        "bounces": "bounce count",
        "sessions": "visits, session count",
    },
    "people_records": {
        "kind": "record type, type",
        "rep_id": "employee id, agent id",
        "candidate_id": "candidate, applicant id, applicant",
        "date": "interview date, training date, day",
        "drive": "drive score",
        "coachability": "coachability score",
        "positivity": "positivity score",
        "empathy": "empathy score",
        "course": "training, course name",
        "hours": "training hours, duration",
        "process": "process name",
        "documented": "is documented",
        "covered_in_onboarding": "in onboarding",
    },
}

TABLE_WORDS = {
    "accounts": (
        "account accounts customer customers client clients company companies organization organizations "
        "organisations kunde kunden firmen societes entreprises"
    ),
    "subscriptions": (
        "subscription subscriptions contract contracts abo abos vertrag vertrage abonnement abonnements contrats"
    ),
    "renewals": "renewal renewals verlangerungen renouvellements",
    "usage": "usage event events activity activities sessions nutzung utilisation",
    "tickets": (
        "ticket tickets case cases conversation conversations call calls incident incidents support anfragen "
        "vorgange demandes appels"
    ),
    "surveys": "survey surveys nps csat responses umfrage umfragen enquetes",
    "touches": "touch touches meeting meetings engagements touchpoints_cs termine",
    "reps": "rep reps agents team users owners employees staff mitarbeiter",
    "assignments": "assignment assignments ownership book books",
    "costs": "cost costs budget kosten couts",
    "work_plan": "workplan plan activities",
    "goals": "goal goals targets okr kpis ziele objectifs",
    "touchpoints": "touchpoint touchpoints web analytics",
    "people_records": "people interviews trainings processes hiring",
}

FIRST_RESPONSE = (
    "first response time, first reply time, time to first response, time to first reply, time to first close, first "
    "response, first reply, reaktionszeit"
)
RESOLUTION = "resolution time, time to resolve, time to resolution, full resolution time, time to close, losungszeit"
RESOLVED_FLAG = "resolved, is resolved, was resolved, solved, gelost, resolu"
TENURE = "tenure, months active, account age, customer age, age, tenure length, betriebsdauer, anciennete"
YEARLY = (
    "arr, arr amount, annual recurring revenue, acv, annual contract value, yearly price, annual price, annual "
    "amount, yearly amount, annual value, jahresbetrag, jahrespreis, montant annuel"
)
AMOUNT = (
    "amount, plan amount, price, unit amount, unit price, plan price, recurring amount, contract amount, betrag, "
    "preis, montant, prix"
)
PERIOD = (
    "interval, billing interval, billing period, billing period unit, billing frequency, billing cycle, period "
    "unit, period, frequency, abrechnungszeitraum, abrechnung, periodicite, frequence"
)
CLOCK = "time, time of day, call time, start time, uhrzeit, zeit, heure"
CHURN_FLAG = (
    "churn label, churn, churned, churn flag, is churned, is churn, has churned, churn value, attrition, attrited, "
    "attrition flag, exited, cancelled, canceled, is cancelled, left, gekundigt, resilie"
)
CHURN_STATUS = "customer status, churn status, account status, status, subscription status, kundenstatus, statut"
CHURN_DATE = "churn date, churned at, churned on, cancelled at, canceled at, cancellation date, exit date, date"
CHURNED_WORDS = (
    "churned, cancelled, canceled, lost, terminated, exited, attrited customer, gekundigt, resilie, non renewing"
)
OUTCOME = (
    "churn, churned, churn label, churn value, churn flag, churn score, churn reason, churn category, churn date, "
    "churn risk, churn probability, exit reason, cancellation reason, cancel reason, reason for leaving, cltv, clv, "
    "ltv, lifetime value, customer lifetime value, total charges, total revenue, lifetime revenue, total spend, "
    "total paid, total payments, total amount, satisfaction score, satisfaction at exit, customer status, churn "
    "status, attrition, exited, cancelled, canceled, cancelled at, canceled at, end date, ended at, refund amount, "
    "total refunds"
)
PERSONAL = (
    "email, e mail, email address, mail, phone, phone number, telephone, mobile, mobile phone, fax, first name, "
    "last name, surname, contact name, contact, full name, birth date, date of birth, birthday, street, street "
    "address, address, address line 1, ip address, iban, telefon, strasse, adresse, geburtsdatum, telefone, "
    "courriel, nom de famille, prenom"
)
PLACES = (
    "zip, zip code, postal code, postcode, latitude, longitude, lat long, lat, long, lng, coordinates, plz, "
    "postleitzahl, code postal"
)
LEAVING = "churn, churned, cancellation, cancellations, cancelled, canceled, exit, attrition, offboarding"

TERM_WORDS = {
    "month": 1, "monthly": 1, "monthtomonth": 1, "1month": 1, "onemonth": 1, "1m": 1, "monatlich": 1, "monat": 1,
    "mensuel": 1, "mois": 1, "quarter": 3, "quarterly": 3, "3months": 3, "quartal": 3, "vierteljahrlich": 3,
    "trimestriel": 3, "halfyear": 6, "halfyearly": 6, "semiannual": 6, "6months": 6, "year": 12, "yearly": 12,
    "annual": 12, "annually": 12, "oneyear": 12, "1year": 12, "12months": 12, "jahrlich": 12, "jahr": 12, "annuel": 12,
    "annee": 12, "twoyear": 24, "twoyears": 24, "2year": 24, "2years": 24, "24months": 24, "biennial": 24,
    "threeyear": 36, "threeyears": 36, "3year": 36, "3years": 36, "36months": 36,
}  # fmt: skip
TRUE = ("true", "yes", "y", "t", "1", "ja", "j", "wahr", "oui", "o", "vrai", "si", "x", "1.0")
FALSE = ("false", "no", "n", "f", "0", "nein", "falsch", "non", "faux", "0.0")
KIND_WORDS: dict[str, dict[str, str]] = {
    "touches.kind": {
        "onboarding": "onboarding", "kickoff": "onboarding", "implementation": "onboarding", "qbr": "qbr", "ebr": "qbr",
        "businessreview": "qbr", "quarterlybusinessreview": "qbr", "checkin": "check_in", "call": "check_in",
        "meeting": "check_in", "training": "training", "webinar": "training", "escalation": "escalation",
        "renewal": "renewal", "renewalcall": "renewal", "other": "other",
    },
    "reps.role": {
        "csm": "csm", "customersuccessmanager": "csm", "customersuccess": "csm", "support": "support",
        "supportagent": "support", "agent": "support", "manager": "manager", "teamlead": "manager", "head": "manager",
    },
    "surveys.kind": {
        "nps": "nps", "netpromoterscore": "nps", "csat": "csat", "customersatisfaction": "csat", "ces": "ces",
        "customereffortscore": "ces", "agent": "agent", "enps": "agent", "exit": "exit", "exitsurvey": "exit",
    },
    "surveys.stage": {"onboarding": "onboarding", "periodic": "periodic", "exit": "exit"},
    "touchpoints.stage": {"before": "before", "during": "during", "after": "after"},
    "people_records.kind": {"interview": "interview", "training": "training", "process": "process"},
}  # fmt: skip
UNITS = {
    "secs": "seconds", "sec": "seconds", "seconds": "seconds", "second": "seconds", "sekunden": "seconds",
    "secondes": "seconds", "mins": "minutes", "min": "minutes", "minutes": "minutes", "minute": "minutes",
    "minuten": "minutes", "hours": "hours", "hour": "hours", "hrs": "hours", "stunden": "hours", "heures": "hours",
    "days": "days", "day": "days", "tage": "days", "jours": "days", "weeks": "weeks", "months": "months",
    "month": "months", "monate": "months", "mois": "months", "years": "years", "jahre": "years",
}  # fmt: skip
CURRENCIES = ("usd", "eur", "gbp", "chf", "sek", "nok", "dkk", "pln", "cad", "aud", "jpy", "inr", "brl")
COUNTRIES = {
    code: currency
    for currency, countries in {
        "USD": "united states, us, usa, united states of america",
        "GBP": "united kingdom, uk, gb, great britain, england, scotland, wales",
        "CHF": "switzerland, schweiz, suisse, ch",
        "EUR": (
            "germany, deutschland, de, france, fr, austria, osterreich, at, spain, espana, es, portugal, pt, italy, "
            "italia, it, netherlands, nederland, nl, belgium, be, ireland, ie, finland, fi, greece, gr, luxembourg, "
            "lu, estonia, ee, latvia, lv, lithuania, lt, slovakia, sk, slovenia, si, malta, mt, cyprus, cy, croatia, hr"
        ),
    }.items()
    for code in ("".join(name.split()) for name in countries.split(","))
}
SIGNS = {"$": "USD", "€": "EUR", "£": "GBP"}


@cache
def words(header: str) -> tuple[str, ...]:
    """The words of a header: ``AvgTalkDuration`` is avg, talk, duration; accents and punctuation fall away."""
    plain = unicodedata.normalize("NFKD", header.replace("ß", "ss"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = re.sub(r"__c\b", " ", plain)
    plain = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", plain)
    plain = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", plain)
    return tuple(re.findall(r"[a-z0-9]+", plain.lower()))


def squash(header: str) -> str:
    """A header without case, accents, spaces and punctuation."""
    return "".join(words(header))


@cache
def phrases(text: str) -> dict[str, int]:
    """A list of phrases as squashed phrase -> its place in the list."""
    found: dict[str, int] = {}
    for place, phrase in enumerate(text.split(",")):
        found.setdefault(squash(phrase), place)
    return found


@cache
def names_of(table: str, column: str) -> dict[str, int]:
    """All the names a column goes by, its own first."""
    return phrases(f"{column}, {SYNONYMS[table].get(column, '')}".rstrip(", "))


@cache
def spellings(header: str, table: str = "") -> tuple[tuple[str, float, str], ...]:
    """How a header may be read: (squashed, how far to trust it, what was left out), the header as it is first.

    Left out may be a prefix (``Account: Name``, ``subscriptions.plan``, ``ticket_priority`` in a table of tickets), a
    unit or a currency at the end, a remark in brackets, ``is`` or ``flag``; least of all some words of a longer one.
    """
    found: dict[str, tuple[float, str]] = {}

    def add(parts: tuple[str, ...], trust: float, without: str) -> None:
        text = "".join(parts)
        if text and text not in found:
            found[text] = (trust, without)

    whole = words(header)
    bare = words(re.sub(r"[(\[].*?[)\]]", " ", header))
    parts_of = re.split(r"[.:>/]\s*", re.sub(r"[(\[].*?[)\]]", " ", header).strip())
    last = words(parts_of[-1])
    if len(parts_of) > 1 and last == ("id",):  # the key of what the prefix names
        last = tuple(word.rstrip("s") for word in words(parts_of[-2])[-1:]) + last
    add(whole, 1.0, "")
    add(bare, 0.97, "the brackets")
    add(last, 0.95, "the prefix")
    for parts in (whole, bare, last):
        short = parts
        while len(short) > 1 and (short[-1] in UNITS or short[-1] in CURRENCIES or short[-1] in _TAILS):
            short = short[:-1]
        add(short, 0.95, "the end")
        if len(short) > 1 and short[0] in ("is", "has", "was"):
            add(short[1:], 0.9, "the first word")
        if len(short) > 1 and short[0] in _objects(table) and short[1:] not in _KEYS:
            add(short[1:], 0.85, f"'{short[0]}' at the front")
    if len(whole) <= 8:
        for size in range(len(whole) - 1, 1, -1):
            for begin in range(len(whole) - size + 1):
                add(whole[begin : begin + size], 0.7, "a part of it")
    return tuple((text, trust, without) for text, (trust, without) in found.items())


_TAILS = ("in", "flag", "utc", "gmt", "pct", "c")
_KEYS = (("id",), ("key",), ("number",), ("no",))


@cache
def _objects(table: str) -> frozenset[str]:
    return frozenset(f"{table} {table.rstrip('s')} {TABLE_WORDS.get(table, '')}".split())


def unit_of(header: str) -> str:
    """The unit of time a header names, "" where it names none: ``first_response_time_minutes`` -> minutes."""
    return next((UNITS[word] for word in reversed(words(header)) if word in UNITS), "")


def zone_of(header: str) -> str:
    """The time zone that a header names in brackets: ``Started at (Europe/Berlin)``, ``Created (UTC)``; "" for none."""
    named = re.findall(r"[(\[]([A-Za-z_]+(?:/[A-Za-z_+-]+)*)[)\]]", header)
    return next((zone for zone in named if zone == "UTC" or ("/" in zone and zone in available_timezones())), "")


def without_brackets(header: str) -> str:
    """A header as ``squash`` has it, without remarks in brackets."""
    return squash(re.sub(r"[(\[].*?[)\]]", " ", header))


def says(header: str, listed: str, trust: float = 0.8) -> bool:
    """Whether a header is one of the listed phrases, in any spelling that is trusted that far."""
    known = phrases(listed)
    return any(text in known for text, how_far, _ in spellings(header) if how_far >= trust)


def first_of(headers: Iterable[str], listed: str, trust: float = 0.8) -> str:
    """The header that stands first in the list of phrases; "" where none does."""
    known = phrases(listed)
    best = {
        header: min(
            (
                known[text] + (1 - how_far)
                for text, how_far, _ in spellings(header)
                if text in known and how_far >= trust
            ),
            default=None,
        )
        for header in headers
    }
    found = [(place, header) for header, place in best.items() if place is not None]
    return min(found)[1] if found else ""
