"""The parameters of the sample company: every number it is drawn from."""

from __future__ import annotations

from datetime import date


def _words(text: str) -> list[str]:
    return text.split()


COMPANY = "Larkmoor Signals (made up)"
MAX_ACCOUNTS, MAX_MONTHS = 20_000, 120
TEAM_ACCOUNTS = 600  # one division of CSMs, support reps, managers and a head for each 600 accounts
END_DAY = date(2026, 7, 1)  # the first day after the window
END = END_DAY.year * 12 + END_DAY.month - 1  # the same as a month index
PAST = 48  # months before the window in which accounts were already won
# Part of every key. Seed 1 was picked by this number out of LOOKED_AT, for retention figures of the usual size, a
# visibly worse last year and several CSM departures; so judge methods on other seeds, as the tests do.
EDITION = 31
LOOKED_AT = 48
RECENT = 12  # the last months of the window, in which churn is worse

# How long accounts stay. Hazards are probabilities of ending at one monthly billing date; the factors multiply them.
SEGMENTS = ("SMB", "Mid-Market", "Enterprise")
SEGMENT_SHARE = {"SMB": 0.52, "Mid-Market": 0.34, "Enterprise": 0.14}
MONTHLY_TERM_SHARE = {"SMB": 0.45, "Mid-Market": 0.15, "Enterprise": 0.04}
HAZARD_MONTHLY_TERM = {"SMB": 0.0150, "Mid-Market": 0.0115, "Enterprise": 0.0085}
HAZARD_AT_ANNIVERSARY = {"SMB": 0.150, "Mid-Market": 0.120, "Enterprise": 0.095}
HAZARD_BETWEEN_ANNIVERSARIES = {"SMB": 0.0010, "Mid-Market": 0.0007, "Enterprise": 0.0004}
TENURE_FACTOR = ((6, 1.50), (12, 1.25), (24, 1.00), (36, 0.80))  # up to and including that age in months
TENURE_FACTOR_LATER = 0.65
FIT_SHARE = {"good": 0.30, "fair": 0.50, "poor": 0.20}
FIT_FACTOR = {"good": 0.65, "fair": 1.00, "poor": 1.55}
COVERED_FACTOR = 0.70
RECENT_FACTOR = 1.40
# Trouble comes and goes month by month: it raises the hazard, lowers usage and mood, and brings tickets and a CSM.
TROUBLE_ENTERS = {"good": 0.012, "fair": 0.028, "poor": 0.060}  # per month
TROUBLE_ENDS = 0.18  # per month
TROUBLE_FACTOR = 1.75
# Who is given a CSM: the larger and, later, those in trouble. Coverage once given is never taken away.
SIZE_SHARE = {"smaller": 0.5, "larger": 0.5}  # within the segment
SIZE_PERCENT = {"smaller": 70, "larger": 140}  # of the seats a typical account of the segment starts with
COVERED_AT_WINNING = {
    "SMB": {"smaller": 0.10, "larger": 0.28},
    "Mid-Market": {"smaller": 0.50, "larger": 0.75},
    "Enterprise": {"smaller": 0.82, "larger": 0.93},
}
COVERED_LATER = {  # per month without
    "SMB": {"calm": 0.002, "trouble": 0.070},
    "Mid-Market": {"calm": 0.006, "trouble": 0.150},
    "Enterprise": {"calm": 0.020, "trouble": 0.250},
}
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
MIN_SEATS = 3  # an account never goes below
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

# Who works here. The first half of the CSM seats reports to one manager and the second to another; so with support.
CSM_SEATS = (*["SMB"] * 4, *["Mid-Market"] * 5, *["Enterprise"] * 3)
UNCOVERED = len(CSM_SEATS)  # the number of the seat that is always empty
SUPPORT_SEATS = 12
LEAVES = {"csm": 0.020, "support": 0.022}  # per month, from the seventh month in the job
VACANCY = {"csm": (1, 4), "support": (1, 2)}  # months
PAY = {"csm": (68_000, 90_000), "support": (46_000, 60_000), "manager": (92_000, 112_000), "head": (150_000, 165_000)}
MOVED_TO = {"Sales": 0.4, "Product": 0.35, "Marketing": 0.25}
MOVED_SHARE = 0.3  # of those who leave
SUPPORT_OUTLIERS = (  # two who really differ, in the place of their drawn effects
    {"csat_shift": 0.5, "handle_factor": 1.1, "resolution_factor": 1.0, "reopen_factor": 0.6},
    {"csat_shift": -0.5, "handle_factor": 0.6, "resolution_factor": 0.8, "reopen_factor": 2.2},
)
# Standard deviations of the effects of reps and accounts; a factor is 1 + that deviation.
REP_SPREAD = {"csat_shift": 0.16, "handle_factor": 0.15, "resolution_factor": 0.12}
ACCOUNT_SPREAD = {"csat_shift": 0.22, "handle_factor": 0.12, "resolution_factor": 0.12}

# What they do.
TICKETS_A_MONTH = {"SMB": 0.28, "Mid-Market": 0.65, "Enterprise": 1.55}
CHECK_INS_A_MONTH = {"SMB": 0.30, "Mid-Market": 0.55, "Enterprise": 1.10}
WORK_FIT_FACTOR = {"good": 0.80, "fair": 1.00, "poor": 1.40}  # of tickets and check-ins
WORK_TROUBLE_FACTOR = 1.6  # of tickets and check-ins
PRIORITY = {"urgent": 0.06, "high": 0.18, "normal": 0.56, "low": 0.20}
CATEGORY = {"how-to": 0.34, "bug": 0.22, "integration": 0.16, "access": 0.14, "billing": 0.14}
CHANNEL = {"email": 0.42, "web": 0.24, "chat": 0.22, "phone": 0.12}
FIRST_RESPONSE = {"urgent": 25, "high": 70, "normal": 220, "low": 520}  # minutes by email and web, typical
WAIT_SECONDS = {"phone": 15, "chat": 20}  # in the queue, on average
PATIENCE_SECONDS = 60  # a wait as long as that loses ABANDONS of those in the queue; others in proportion, at most 60 %
ABANDONS = 0.15
RESOLUTION = {"urgent": 260, "high": 620, "normal": 1500, "low": 2900}  # minutes after the first response
HANDLE = {"how-to": 11, "bug": 26, "integration": 32, "access": 8, "billing": 12}  # minutes of work
# Accounts worth more rightly take longer, and their tickets mostly go to the specialists, the first support seats.
SEGMENT_WORK_FACTOR = {"SMB": 1.00, "Mid-Market": 1.12, "Enterprise": 1.45}  # of handling and of resolution
SPECIALIST_SEATS, TO_SPECIALISTS = 4, {"SMB": 0.15, "Mid-Market": 0.30, "Enterprise": 0.75}
CSAT_MEAN, CSAT_NOISE = 4.35, 1.3  # before rounding to 1 to 5
CSAT_SLOW, CSAT_POOR, CSAT_TROUBLE = -0.7, -0.4, -0.4
CSAT_ANSWERED = {"unhappy": 0.40, "middling": 0.20, "happy": 0.30}  # 1 or 2, 3 or 4, 5
TOUCH_HOURS = {  # quarter hours, least and most
    "onboarding": (4, 10),
    "qbr": (8, 16),
    "check_in": (1, 4),
    "training": (4, 12),
    "escalation": (3, 12),
    "renewal": (3, 8),
}
TOUCH_CHANNEL = {"video": 0.55, "email": 0.20, "phone": 0.18, "on_site": 0.07}

# What accounts do with the product: an account-user-day is one named user at work on one day.
USER_DAYS_A_MONTH = {"SMB": 2.3, "Mid-Market": 4.6, "Enterprise": 9.0}
USERS = {"SMB": (1, 4), "Mid-Market": (3, 8), "Enterprise": (6, 16)}
USAGE_FIT_FACTOR = {"good": 1.20, "fair": 1.00, "poor": 0.75}
USAGE_SPREAD = 0.25  # between accounts
USAGE_TROUBLE_FACTOR = 0.65
USAGE_BEFORE_CHURN = (0.35, 0.50, 0.65, 0.80)  # in the last paid month, the one before it, ...
USAGE_FIRST_MONTHS = (0.60, 0.80, 0.90)
USAGE_CALENDAR_MONTH = {8: 0.80, 12: 0.75}
USAGE_WEEKEND = 0.05  # of user-days; the others fall from Monday to Friday
USAGE_WEEKDAY = {0: 0.22, 1: 0.23, 2: 0.22, 3: 0.19, 4: 0.14}
FEATURES = {"dashboard": 0.34, "reports": 0.24, "alerts": 0.18, "export": 0.12, "api": 0.08, "forecast": 0.04}

# Surveys. Mood is 0.5 for an account of fair fit; it moves every score and, mildly, who answers.
MOOD = {"good": 0.62, "fair": 0.50, "poor": 0.36}
MOOD_TROUBLE, MOOD_SPREAD = -0.16, 0.13
MOOD_BEFORE_CHURN = (6, -0.12)  # in so many last paid months
NPS_EVERY, CES_EVERY = 6, 12  # months of age
ONBOARDING_SURVEY_DAYS = (30, 55)  # after the first day
ANSWERS = {"nps": 0.34, "csat": 0.45, "ces": 0.30, "agent": 0.78, "exit": 0.42}
ANSWERS_OF_THE_EXTREME = 1.25  # times as many where the mood is below 0.3 or above 0.7
COMMENTED = {"nps": 0.55, "csat": 0.40, "ces": 0.30, "agent": 0.35, "exit": 0.70, "ticket": 0.30}  # of answers
THEMES = {  # share among comments of the content and of the discontent
    "support": (0.24, 0.16),
    "ease": (0.22, 0.12),
    "features": (0.16, 0.22),
    "price": (0.06, 0.20),
    "reliability": (0.12, 0.18),
    "onboarding": (0.20, 0.12),
}
AGENT_MEAN, AGENT_BEFORE_LEAVING = 3.9, -0.7  # 1 to 5; the shift in the last six months in the job
REASONS = {  # why an account truly leaves, by fit
    "good": {"price": 0.30, "competitor": 0.25, "champion left": 0.25, "missing features": 0.10, "closing down": 0.10},
    "fair": {"price": 0.25, "competitor": 0.20, "champion left": 0.20, "missing features": 0.25, "poor service": 0.10},
    "poor": {"missing features": 0.45, "poor service": 0.20, "price": 0.15, "competitor": 0.15, "champion left": 0.05},
}
STATED_TRULY = 0.85  # in the exit survey; the others give price as the reason
RECORDED, RECORDED_TRULY = 0.90, 0.60  # by the company in accounts.csv; where not truly, as price
COMPETITORS = {"Brightpane": 0.45, "Ferrous Analytics": 0.35, "in-house": 0.20}
COMPETITOR_NAMED = 0.6  # of exit answers; always where the reason is a competitor

# What is planned and measured besides.
RENEWAL_OUTLOOK = 6  # months after the window whose due dates are already known
FORECAST = {  # what the owner last expected: by the state two months ahead or, where a loss is seen coming, by that
    "calm": {"commit": 0.72, "best case": 0.20, "pipeline": 0.08},
    "trouble": {"commit": 0.30, "best case": 0.35, "pipeline": 0.35},
    "seen coming": {"commit": 0.05, "best case": 0.25, "pipeline": 0.70},
}
LOSS_SEEN_COMING = 0.55
CANDIDATES = (2, 5)  # interviewed for a seat
INTERVIEW_SIGNAL = 0.8  # points of coachability and of empathy per standard deviation of a rep's csat_shift
PRICING_PAGE_CHANGE = 12  # months before the end: from then on more sessions end on the pricing page
