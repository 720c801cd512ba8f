"""What is true of the made-up company: every number it is drawn from."""

from __future__ import annotations

from datetime import date


def _words(text: str) -> list[str]:
    return text.split()


COMPANY = "Larkmoor Signals (made up)"
MOST_ACCOUNTS, MOST_MONTHS = 20_000, 120
TEAM_ACCOUNTS = 400  # one team of CSMs and support reps for each 400 accounts
END_DAY = date(2026, 7, 1)  # the first day after the window
END = END_DAY.year * 12 + END_DAY.month - 1  # the same as a month index
PAST = 48  # months before the window in which accounts were already won
# Part of every key. Seed 1 was picked by this number out of 24 looked at, for retention figures of the usual size, a
# visibly worse last year and several CSM departures; so judge methods on other seeds, as the tests do.
EDITION = 14
RECENT = 12  # the last months of the window, in which churn is worse

# How long accounts live. Hazards are probabilities of ending at one monthly billing date; the factors multiply them.
SEGMENTS = ("SMB", "Mid-Market", "Enterprise")
SEGMENT_SHARE = {"SMB": 0.52, "Mid-Market": 0.34, "Enterprise": 0.14}
MONTHLY_TERM_SHARE = {"SMB": 0.45, "Mid-Market": 0.15, "Enterprise": 0.04}
HAZARD_MONTHLY_TERM = {"SMB": 0.0170, "Mid-Market": 0.0130, "Enterprise": 0.0095}
HAZARD_AT_ANNIVERSARY = {"SMB": 0.175, "Mid-Market": 0.140, "Enterprise": 0.105}
HAZARD_BETWEEN_ANNIVERSARIES = {"SMB": 0.0010, "Mid-Market": 0.0007, "Enterprise": 0.0004}
TENURE_FACTOR = ((6, 1.50), (12, 1.25), (24, 1.00), (36, 0.80))  # up to and including that age in months
TENURE_FACTOR_LATER = 0.65
FIT_SHARE = {"good": 0.30, "fair": 0.50, "poor": 0.20}
FIT_FACTOR = {"good": 0.60, "fair": 1.00, "poor": 1.80}
COVERED_SHARE = {"SMB": 0.35, "Mid-Market": 0.85, "Enterprise": 0.95}
COVERED_FACTOR = 0.72
RECENT_FACTOR = 1.42
REACTIVATION, REACTIVATION_GAP = 0.16, (2, 9)  # of first churns; months
FIRST_OF_MONTH_SHARE = 0.35  # accounts that start on the 1st; the others on the 2nd to the 28th

# What they pay.
EXPANSION = {"SMB": 0.024, "Mid-Market": 0.036, "Enterprise": 0.048}  # per billing date survived
EXPANSION_FIT_FACTOR = {"good": 1.40, "fair": 1.00, "poor": 0.45}
EXPANSION_COVERED_FACTOR = 1.20
CONTRACTION_MONTHLY_TERM = {"SMB": 0.008, "Mid-Market": 0.007, "Enterprise": 0.006}
CONTRACTION_AT_ANNIVERSARY = {"SMB": 0.07, "Mid-Market": 0.09, "Enterprise": 0.11}
CONTRACTION_FIT_FACTOR = {"good": 0.60, "fair": 1.00, "poor": 1.70}
EXPANSION_PERCENT, CONTRACTION_PERCENT = (8, 35), (8, 32)  # of the seats
UPGRADE_SHARE = 0.12  # of expansions: the next plan instead of more seats, where there is one
ADD_ON = "Insights add-on"
ADD_ON_SHARE = {"SMB": 0.04, "Mid-Market": 0.10, "Enterprise": 0.15}
ADD_ON_ENDS_EARLY = 0.25
PLANS = ("Starter", "Growth", "Scale")
SEAT_CENTS = {"Starter": 1900, "Growth": 2900, "Scale": 4500, ADD_ON: 500}
FEWEST_SEATS = 3  # an account never goes below
# Share, fewest seats, and three factors' reach: seats = fewest x (1 + reach x u)^3, skewed as prices are.
FIRST_PLAN = {
    "SMB": {"Starter": (0.6, 11, 0.58), "Growth": (0.4, 8, 0.54)},
    "Mid-Market": {"Growth": (0.6, 36, 0.55), "Scale": (0.4, 24, 0.52)},
    "Enterprise": {"Scale": (1.0, 118, 0.55)},
}
DISCOUNT = {
    "SMB": {0: 0.70, 5: 0.15, 10: 0.15},
    "Mid-Market": {0: 0.40, 5: 0.20, 10: 0.25, 15: 0.15},
    "Enterprise": {0: 0.15, 5: 0.15, 10: 0.30, 15: 0.25, 20: 0.15},
}

# Who they are.
EMPLOYEES = {"SMB": (8, 1.1), "Mid-Market": (90, 0.9), "Enterprise": (900, 1.2)}  # fewest and reach, as seats
ACQUISITION = {"inbound": 0.38, "outbound": 0.22, "partner": 0.18, "referral": 0.14, "event": 0.08}
GROSS_MARGIN_PERCENT = {"SMB": (76, 84), "Mid-Market": (74, 82), "Enterprise": (70, 80)}
REGIONS = {  # share and countries
    "DACH": (0.26, ("DE", "AT", "CH")),
    "Nordics": (0.14, ("SE", "DK", "NO", "FI")),
    "UK & Ireland": (0.20, ("GB", "IE")),
    "Benelux": (0.12, ("NL", "BE")),
    "Southern Europe": (0.12, ("ES", "IT", "PT")),
    "North America": (0.16, ("US", "CA")),
}
INDUSTRIES = {  # share and what such firms call themselves
    "Logistics": (0.17, ("Freight", "Haulage", "Logistics")),
    "Manufacturing": (0.20, ("Castings", "Tooling", "Works")),
    "Retail": (0.16, ("Outfitters", "Grocers", "Stores")),
    "Software": (0.20, ("Systems", "Software", "Labs")),
    "Healthcare": (0.12, ("Clinics", "Dental", "Care")),
    "Professional services": (0.15, ("Advisers", "Surveyors", "Partners")),
}
# Invented stems; two halves make 25 x 24 names before a number is needed.
STEM_HEADS = _words(
    "Ald Bram Cor Dun Ely Fenn Gris Hoth Ives Jarn Kell Lum Mør Nethe Orm Pell Quil Rav Sköl Tarn Ulv Vel Wend Yar Zeb"
)
STEM_TAILS = _words(
    "acre ande arro bex borne by cote dell dram ello ford gate hurst ica ley mond ora quist ridge stow thorpe wick "
    "wold yn"
)
FIRST_NAMES = _words(
    "Ada Bashir Carmen Dev Elif Femi Greta Hugo Ines Jonas Kaja Liam Mei Nuno Olga Priya Rafael Saga Tomas Una Viktor "
    "Wanda Yusuf Zoë"
)
LAST_NAMES = _words(
    "Abara Bjerke Castelló Dorn Eriksen Faber Grünwald Haddad Iwu Jansen Kowal Lindqvist Moreau Novak Okafor Petit "
    "Quist Rossi Sato Tamm Urban Vega Weiss Yilmaz Zeman"
)

# Who works here.
CSM_SEATS = ("SMB", "SMB", "Mid-Market", "Mid-Market", "Mid-Market", "Enterprise", "Enterprise")
UNCOVERED = len(CSM_SEATS)  # the number of the seat nobody ever sits in
SUPPORT_SEATS = 8
LEAVES = {"csm": 0.020, "support": 0.022}  # per month, from the seventh month in the job
VACANCY = {"csm": (1, 4), "support": (1, 2)}  # months
PAY = {"csm": (68_000, 90_000), "support": (46_000, 60_000), "manager": (92_000, 112_000)}
MOVED_TO = {"Sales": 0.4, "Product": 0.35, "Marketing": 0.25}
SUPPORT_OUTLIERS = (
    {"csat_shift": 0.5, "handle_factor": 1.1, "reopen_factor": 0.6},
    {"csat_shift": -0.5, "handle_factor": 0.6, "reopen_factor": 2.2},
)

# What they do.
TICKETS_A_MONTH = {"SMB": 0.28, "Mid-Market": 0.65, "Enterprise": 1.55}
CHECK_INS_A_MONTH = {"SMB": 0.30, "Mid-Market": 0.55, "Enterprise": 1.10}
WORK_FIT_FACTOR = {"good": 0.80, "fair": 1.00, "poor": 1.50}  # of tickets and check-ins
PRIORITY = {"urgent": 0.06, "high": 0.18, "normal": 0.56, "low": 0.20}
CATEGORY = {"how-to": 0.34, "bug": 0.22, "integration": 0.16, "access": 0.14, "billing": 0.14}
CHANNEL = {"email": 0.42, "web": 0.24, "chat": 0.22, "phone": 0.12}
FIRST_RESPONSE = {"urgent": 25, "high": 70, "normal": 220, "low": 520}  # minutes, typical
FIRST_RESPONSE_LIVE = {"phone": 4, "chat": 9}  # whatever the priority
RESOLUTION = {"urgent": 260, "high": 620, "normal": 1500, "low": 2900}  # minutes after the first response
HANDLE = {"how-to": 11, "bug": 26, "integration": 32, "access": 8, "billing": 12}  # minutes of work
TOUCH_HOURS = {  # quarter hours, least and most
    "onboarding": (4, 10),
    "qbr": (8, 16),
    "check_in": (1, 4),
    "training": (4, 12),
    "escalation": (3, 12),
    "renewal": (3, 8),
}
TOUCH_CHANNEL = {"video": 0.55, "email": 0.20, "phone": 0.18, "on_site": 0.07}
