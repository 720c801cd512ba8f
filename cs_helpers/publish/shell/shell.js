// The page is complete without this script. It switches the theme; sorts, filters and saves tables; enlarges charts;
// computes the what-if panel; opens folded parts for links and the printer; marks the current section; searches reports
// and shows their age. Text is only ever set as text.
(() => {
  const root = document.documentElement;
  const SHOWN = 50, ROOM = 60, FILTERED = 8, SORTED = 3, PRINTED = 500;
  const all = (what, where = document) => [...where.querySelectorAll(what)];
  const make = (tag, name, text, more = {}) => Object.assign(document.createElement(tag), { className: name, textContent: text, ...more });
  const button = (name, text, label, act) => {
    const made = make("button", name, text, { type: "button", onclick: act });
    if (label) made.setAttribute("aria-label", label);
    return made;
  };
  const remember = (value) => { try { return value ? localStorage.setItem("cs-theme", value) : localStorage.getItem("cs-theme"); } catch { return null; } };
  if (["light", "dark"].includes(remember())) root.dataset.theme = remember();

  const unfold = (id) => {
    const target = id && document.getElementById(id);
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (target) target.scrollIntoView();
  };
  const unfoldAddress = () => { try { unfold(decodeURIComponent(location.hash.slice(1))); } catch { /* no such place */ } };

  const themes = () => {
    const switcher = document.querySelector("button.theme");
    const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    const label = () => switcher.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"}`);
    switcher.hidden = false;
    label();
    switcher.onclick = () => { root.dataset.theme = isDark() ? "light" : "dark"; remember(root.dataset.theme); label(); };
  };

  const contents = () => {
    const box = document.querySelector("nav.toc details");
    if (!box) return;
    const small = matchMedia("(max-width: 1079px)");
    const fit = () => { box.open = !small.matches; };
    fit();
    small.addEventListener("change", fit);
    const here = box.querySelector("summary").appendChild(make("span", "here", ""));
    const links = new Map(all("nav.toc a").map((a) => [a.hash.slice(1), a]));
    const places = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
    let marked, waiting = false;
    const mark = () => {
      waiting = false;
      const line = innerHeight * .2;
      const ended = scrollY > 0 && scrollY + innerHeight >= root.scrollHeight - 2;
      const passed = places.filter((place) => place.getBoundingClientRect().top <= line);
      const at = links.get((ended ? places.at(-1) : passed.at(-1) || places[0])?.id);
      if (!at || at === marked) return;
      marked?.removeAttribute("aria-current");
      at.setAttribute("aria-current", "true");
      here.textContent = ` · ${at.textContent}`;
      const nav = box.parentElement;
      if (!small.matches) nav.scrollTop += Math.min(0, at.offsetTop - nav.scrollTop - 40) + Math.max(0, at.offsetTop + 40 - nav.scrollTop - nav.clientHeight);
      marked = at;
    };
    addEventListener("scroll", () => { if (!waiting) { waiting = true; requestAnimationFrame(mark); } }, { passive: true });
    mark();
    box.addEventListener("click", (event) => { if (event.target.closest("a") && small.matches) box.open = false; });
  };

  // The first number of a text as sentences write it: "−€1.2k", "88.4 %", "12 of 40"; nothing for "–".
  const SIZES = { k: 1e3, m: 1e6 };
  const figure = (cell) => {
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    const found = /([−-]?)[^\d−-]{0,6}?(\d[\d,]*\.?\d*)([km]?)(?![a-z])/.exec(cell.textContent);
    return found ? (found[1] ? -1 : 1) * Number(found[2].replaceAll(",", "")) * (SIZES[found[3]] || 1) : NaN;
  };
  const day = (cell) => Date.parse(/^\d/.test(cell.textContent) ? cell.textContent : `1 ${cell.textContent}`);
  const order = new Intl.Collator("en", { numeric: true });
  const keyOf = (cell, kind) => {
    const text = cell.textContent.trim();
    if (text === "" || text === "–") return null;
    if (kind === "text") return text;
    const value = kind === "date" ? day(cell) : figure(cell);
    return Number.isNaN(value) ? null : value;
  };

  // A spreadsheet runs what begins like a formula, so such text gets an apostrophe before it.
  const NUMBER = /^-?\d+(\.\d+)?$/;
  const field = (text) => {
    const plain = text.replace(/^−(?=\d)/, "-").replace(/^(-?\d{1,3})((,\d{3})+)(?=\.\d+$|$)/, (_, a, b) => a + b.replaceAll(",", ""));
    if (NUMBER.test(plain)) return plain;
    const safe = /^[\s\u200b\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/.test(text) ? `'${text}` : text;
    return /[",\r\n;\t]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const words = (cell) => (cell.dataset.v ?? cell.textContent).replaceAll("\u202f", " ").trim();
  const save = (table, name) => {
    const lines = [[...table.tHead.rows[0].cells], ...table.wanted.map((row) => [...row.cells])].map((cells) => cells.map((cell) => field(words(cell))).join(","));
    const link = make("a", "", "", { href: URL.createObjectURL(new Blob([`\ufeff${lines.join("\r\n")}\r\n`], { type: "text/csv" })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const tables = () => {
    for (const [place, box] of all(".cs-table:not(.cs-plain)").entries()) {
      const table = box.querySelector("table"), body = table?.tBodies[0];
      if (!body || body.rows.length < SORTED || !table.tHead) continue;
      const rows = table.wanted = [...body.rows], title = table.caption?.textContent || "Table";
      let most = rows.length > ROOM ? SHOWN : Infinity;
      const count = make("span", "cs-count", "");
      count.setAttribute("aria-live", "polite");
      const more = button("cs-more", "", "", () => { most = Infinity; show(); });
      const show = () => {
        body.replaceChildren(...table.wanted.slice(0, most));
        more.hidden = table.wanted.length <= most;
        more.textContent = `Show all ${table.wanted.length.toLocaleString("en")} rows`;
        count.textContent = table.wanted.length === rows.length ? `${rows.length.toLocaleString("en")} rows` : table.wanted.length ? `${table.wanted.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows` : "No row contains these words";
      };
      let sorted = rows, needle = "";
      const choose = () => {
        table.wanted = needle ? sorted.filter((row) => row.textContent.toLowerCase().includes(needle)) : sorted;
        show();
      };
      all("th", table.tHead).forEach((head, column) => {
        const sorter = button("cs-sort", head.textContent, "", () => {
          const down = head.getAttribute("aria-sort") === "ascending", sign = down ? -1 : 1, kind = head.dataset.sort || "text";
          all("[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
          head.setAttribute("aria-sort", down ? "descending" : "ascending");
          const compare = kind === "text" ? order.compare : (a, b) => a - b;
          const keyed = rows.map((row) => [keyOf(row.cells[column], kind), row]);
          keyed.sort(([a], [b]) => a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b));
          sorted = keyed.map(([, row]) => row);
          choose();
        });
        head.replaceChildren(sorter);
      });
      const tools = make("div", rows.length < FILTERED ? "cs-tools cs-slim" : "cs-tools", "");
      if (rows.length >= FILTERED) {
        const filter = make("input", "cs-filter", "", { type: "search", placeholder: "Filter rows", oninput: () => { needle = filter.value.trim().toLowerCase(); choose(); } });
        filter.setAttribute("aria-label", `Filter rows: ${title}`);
        tools.append(filter, count);
      }
      const name = `${title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60) || `table-${place + 1}`}.csv`;
      tools.append(button("cs-download", "Download CSV", `Download CSV: ${title}`, () => save(table, name)));
      // A printed page has no button, so all rows are printed; of a very long table only the first ones.
      addEventListener("beforeprint", () => { const shown = most; most = Math.max(most, PRINTED); show(); most = shown; });
      addEventListener("afterprint", show);
      box.before(tools);
      box.after(more);
      show();
    }
  };

  // The drawing itself moves into the dialog and back: a copy would have every id twice.
  const charts = () => {
    const dialog = make("dialog", "cs-dialog", "");
    const caption = make("p", "", ""), stage = make("div", "", "");
    dialog.append(button("cs-close", "Close", "", () => dialog.close()), caption, stage);
    dialog.setAttribute("aria-label", "Chart, enlarged");
    document.body.append(dialog);
    let home, from;
    const back = () => { if (stage.firstChild) home.prepend(stage.firstChild); };
    // The event comes shortly after the dialog has closed, and by then another chart may be open.
    dialog.addEventListener("close", () => { if (!dialog.open) { back(); from.focus(); } });
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    for (const figure of all("figure.cs-chart")) {
      const wide = figure.querySelector(".cs-wide"), title = figure.querySelector("figcaption");
      if (!wide) continue;
      figure.classList.add("has-zoom");
      const opener = button("cs-zoom", "⤢", `Enlarge chart: ${title?.textContent.slice(0, 120) || ""}`, () => {
        back();
        [home, from] = [wide.parentElement, opener];
        stage.setAttribute("role", "img");
        stage.setAttribute("aria-label", home.getAttribute("aria-label") || "");
        caption.textContent = title?.textContent || "";
        stage.append(wide);
        dialog.showModal();
      });
      figure.append(opener);
    }
  };

  const tiles = () => {
    addEventListener("keydown", (event) => { if (event.key === "Escape") all(".cs-tile:hover, .cs-tile:focus").forEach((tile) => { tile.dataset.hushed = ""; }); });
    for (const tile of all(".cs-tile")) for (const left of ["blur", "pointerleave"]) tile.addEventListener(left, () => { delete tile.dataset.hushed; });
  };

  const copying = () => {
    const code = document.querySelector(".end code");
    if (!code) return;
    const copier = button("cs-copy", "Copy", "Copy the command", async () => {
      try { await navigator.clipboard.writeText(code.textContent); copier.textContent = "Copied"; }
      catch { getSelection().selectAllChildren(code); copier.textContent = "Selected: press Ctrl+C"; }
    });
    code.after(copier);
  };

  // The what-if panel computes the formulas of roi.economics again; names, order and rounding are the same there.
  const whatIf = () => {
    const SVG = "http://www.w3.org/2000/svg", THIN = "\u202f";
    for (const panel of all(".cs-whatif")) {
      const model = JSON.parse(panel.querySelector("template").content.textContent), { horizons, symbol } = model;
      const middle = (horizons.length - 1) >> 1, total = model.mrr[0].reduce((sum, mrr) => sum + mrr, 0);
      const [first, last, many] = model.risks;
      const risks = Array.from({ length: many }, (_, place) => place === many - 1 ? last : first + place * ((last - first) / (many - 1)));
      const start = { ...model.inputs, tail: 0 };
      let inputs = { ...start };

      // The result of a relative risk within a horizon, all other inputs as in x; sums over months are computed once.
      const prepare = (x, horizon) => {
        const hazard = -Math.log1p(-x.yearly_churn), stays = model.years.map((y) => Math.exp(-hazard * y));
        const factor = (t) => (1 + x.discount) ** (-(t + .5) / 12);
        const gone = stays.map(() => 0), grown = stays.map(() => 0), end = model.mrr[horizon];
        let months = 0, fading = 0;
        for (let t = 0; t < horizon; t++) {
          const slower = (1 + x.expansion) ** (t / 12) - (1 + x.expansion * (1 - x.expansion_lost)) ** (t / 12);
          model.mrr[t].forEach((mrr, place) => { gone[place] += factor(t) * mrr; grown[place] += factor(t) * slower * mrr; });
          months += factor(t) * Math.min(1, Math.max(0, t + 1 - x.notice_months));
        }
        for (let t = 0; t < x.tail; t++) fading += factor(horizon + t) * Math.exp(-hazard * (t + 1) / 12);
        const cost = months * (x.people * (1 - x.absorbed) + x.tools + x.management) - x.severance_months * x.people;
        const paying = end.reduce((sum, mrr, place) => sum + mrr * stays[place], 0);
        return (risk) => {
          let lost = 0, kept = 0;
          stays.forEach((stay, place) => {
            const without = Math.exp(-hazard * risk * model.years[place]);
            lost += gone[place] * (stay - without) + grown[place] * without;
            kept += end[place] * (stay - without);
          });
          const value = x.margin * (lost + kept * fading), net = value - cost;
          return { value, cost, net, roi: cost > 0 ? net / cost : NaN, points: 100 * kept / total, mrr_kept: kept, retention_with: paying / total, retention_without: (paying - kept) / total };
        };
      };
      const breakEven = (at) => {
        if (at(1).net >= 0) return 1;
        if (at(1000).net < 0) return NaN;
        let low = 0, high = Math.log(1000);
        for (let halving = 0; halving < 100; halving++) {
          const middle = (low + high) / 2;
          if (at(Math.exp(middle)).net < 0) low = middle; else high = middle;
        }
        return Math.exp(high);
      };
      const follow = (x) => horizons.map((horizon) => {
        const retention = prepare({ ...x, expansion_lost: 0 }, horizon), break_even_risk = breakEven(retention);
        const curve = risks.map((risk) => retention(risk).net), break_even_points = retention(break_even_risk).points;
        return { ...prepare(x, horizon)(x.relative_risk), break_even_risk, break_even_points, curve, horizon };
      });

      const half = (value, digits) => Math.floor(value * 10 ** digits + .5) / 10 ** digits;
      const grouped = (value, digits) => value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
      const rounded = (value, digits) => grouped(half(value, digits) + 0, digits);
      const trimmed = (value) => String(Number(value.toFixed(2)));
      const amount = (value) => {
        const whole = Math.floor((Math.floor(value * 100 + .5) + 50) / 100), size = Math.abs(whole), hundredths = Math.floor((size + 5000) / 10000);
        return `${whole < 0 ? "−" : ""}${symbol}${size < 1e7 ? grouped(size, 0) : `${grouped(hundredths / 100, 2)}m`}`;
      };
      const told = (value, kind) => {
        if (!Number.isFinite(value)) return kind === "break-even" ? "out of reach" : "–";
        if (kind === "money") return amount(value);
        return kind === "share" || kind === "ratio" ? `${rounded(value * 100, kind === "share" ? 1 : 0)}${THIN}%` : rounded(value, 2);
      };
      const summary = (row) => {
        const opening = `After ${row.horizon} months: net value ${amount(row.net)}.`;
        if (row.cost <= 0) return `${opening} Closing it would save nothing by then.`;
        if (!Number.isFinite(row.break_even_risk)) return `${opening} Retention alone cannot pay for it.`;
        return `${opening} It pays for itself from ${rounded(row.break_even_points, 2)} points of retention.`;
      };

      const LEFT = 52, RIGHT = 290, TOP = 22, BOTTOM = 196;
      const ticks = (low, high, most) => {
        const raw = (high - low) / most, ten = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 5, 10].find((times) => times * ten >= raw) * ten;
        const marks = [];
        for (let k = Math.ceil(low / step); k <= Math.floor(high / step); k++) marks.push(k * step);
        return marks;
      };
      const tickWords = (value) => {
        const size = Math.abs(value), [unit, sign] = [[1e6, "m"], [1e3, "k"], [1, ""]].find(([unit]) => size >= unit || unit === 1);
        return `${value < 0 ? "−" : ""}${symbol}${trimmed(size / unit)}${sign}`;
      };
      const drawing = (rows, x) => {
        const risk = x.relative_risk, inside = first <= risk && risk <= last;
        const seen = [0, ...rows.flatMap((row) => row.curve), ...inside ? rows.map((row) => row.net) : []];
        const low = Math.min(...seen), high = Math.max(...seen), span = high - low || 1;
        const across = (value) => LEFT + (value - first) / (last - first) * (RIGHT - LEFT), up = (value) => BOTTOM - (value - low) / span * (BOTTOM - TOP);
        const n = (value) => half(value, 1).toFixed(1);
        const line = (name, x1, y1, x2, y2) => ["line", { class: name, x1: n(x1), y1: n(y1), x2: n(x2), y2: n(y2) }, ""];
        const text = (x, y, anchor, words, more = {}) => ["text", { x: n(x), y: n(y), "text-anchor": anchor, ...more }, words];
        const parts = [];
        for (const tick of ticks(low, low + span, 4)) parts.push(line(tick === 0 ? "zero" : "grid", LEFT, up(tick), RIGHT, up(tick)), text(LEFT - 6, up(tick) + 4, "end", tickWords(tick)));
        for (const tick of ticks(first, last, 4)) parts.push(text(across(tick), BOTTOM + 18, "middle", trimmed(tick)));
        parts.push(text((LEFT + RIGHT) / 2, BOTTOM + 36, "middle", "relative risk of leaving without it"), text(0, 11, "start", "net value"));
        if (inside) parts.push(line("now", across(risk), TOP, across(risk), BOTTOM));
        rows.forEach((row, place) => {
          const [width, opacity] = [["1.4", "0.65"], ["2", "0.8"], ["2.8", "1"]][Math.min(place, 2)];
          parts.push(["polyline", { class: "curve", "stroke-width": width, opacity, points: row.curve.map((net, at) => `${n(across(risks[at]))},${n(up(net))}`).join(" ") }, ""]);
        });
        for (const { break_even_risk: pays } of rows) if (first <= pays && pays <= last) parts.push(["circle", { class: "ring", cx: n(across(pays)), cy: n(up(0)), r: "4.5" }, ""]);
        if (inside) for (const { net } of rows) parts.push(["circle", { class: "dot", cx: n(across(risk)), cy: n(up(net)), r: "3" }, ""]);
        const heights = rows.map((row) => up(row.curve.at(-1))), byHeight = [...heights.keys()].sort((a, b) => heights[b] - heights[a] || a - b);
        byHeight.slice(1).forEach((at, place) => { heights[at] = Math.min(heights[at], heights[byHeight[place]] - 14); });
        rows.forEach((row, place) => parts.push(text(RIGHT + 6, heights[place] + 4, "start", `${row.horizon} mo`, { class: "name" })));
        return parts;
      };

      const svg = panel.querySelector("svg"), sentence = panel.querySelector(".cs-sum");
      const show = (x) => {
        const rows = follow(x);
        for (const line of all("tr[data-row]", panel)) {
          const { row: key, kind } = line.dataset, digits = kind === "money" ? 2 : 6;
          all("td", line).forEach((cell, place) => {
            const value = rows[place][key];
            cell.textContent = told(value, kind);
            cell.dataset.v = Number.isFinite(value) ? half(value, digits).toFixed(digits) : "";
            if (cell.textContent.startsWith("−")) cell.dataset.sign = "below"; else delete cell.dataset.sign;
          });
        }
        sentence.textContent = summary(rows[middle]);
        svg.replaceChildren(...drawing(rows, x).map(([tag, attributes, words]) => {
          const part = document.createElementNS(SVG, tag);
          for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
          part.textContent = words;
          return part;
        }));
      };

      const tail = panel.querySelector(".cs-tail input"), said = panel.querySelector(".cs-said");
      let waiting = false, printing = false;
      // Printing hides the controls; one that loses the focus by that fires a change event.
      const now = () => show(printing ? start : inputs);
      const soon = () => { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; now(); }); } };
      const say = () => { now(); said.textContent = sentence.textContent; };
      const controls = all(".cs-input", panel).map((box) => {
        const { name, scale } = box.dataset, slider = box.querySelector('[type="range"]'), typed = box.querySelector('[type="number"]');
        const spell = () => slider.setAttribute("aria-valuetext", `${typed.value} ${slider.dataset.spoken}`);
        slider.addEventListener("input", () => {
          typed.value = slider.value;
          typed.removeAttribute("aria-invalid");
          inputs[name] = Number(slider.value) / scale;
          spell();
          soon();
        });
        typed.addEventListener("input", () => {
          const good = typed.value !== "" && typed.validity.valid;
          if (!good) return typed.setAttribute("aria-invalid", "true");
          typed.removeAttribute("aria-invalid");
          inputs[name] = Number(typed.value) / scale;
          slider.value = typed.value;
          spell();
          soon();
        });
        typed.addEventListener("blur", () => { if (typed.hasAttribute("aria-invalid")) { typed.value = trimmed(inputs[name] * scale); typed.removeAttribute("aria-invalid"); } });
        return () => { for (const each of [slider, typed]) each.value = each.defaultValue; typed.removeAttribute("aria-invalid"); spell(); };
      });
      tail?.addEventListener("change", () => { inputs.tail = tail.checked ? model.tail : 0; });
      panel.addEventListener("change", say);
      panel.querySelector(".cs-reset").onclick = () => {
        inputs = { ...start };
        if (tail) tail.checked = false;
        for (const back of controls) back();
        say();
      };
      addEventListener("beforeprint", () => { printing = true; now(); });
      addEventListener("afterprint", () => { printing = false; now(); });
      panel.dataset.live = "";
      panel.querySelector(".cs-inputs").hidden = false;
      panel.querySelector(".cs-given").style.display = "none";
    }
  };

  // The search box of the index: a report is shown if each typed word is in its title, question or figures.
  const searching = () => {
    const box = document.querySelector(".find"), reports = all("article.series");
    if (!box || reports.length < 2) return;
    const input = box.querySelector("input"), count = box.querySelector(".cs-count"), folds = all(".fold");
    const plain = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
    const texts = reports.map((report) => plain(report.dataset.find));
    const opened = new Map();
    const find = () => {
      const wanted = plain(input.value).split(/\s+/).filter(Boolean);
      for (const [place, report] of reports.entries()) report.hidden = !wanted.every((word) => texts[place].includes(word));
      for (const subject of all(".subject")) {
        const again = subject.querySelector(".again");
        subject.hidden = !subject.querySelector("article.series:not([hidden])");
        if (again) again.hidden = !!subject.querySelector("article.series:not(.part):not([hidden])");
      }
      for (const fold of folds) {
        if (wanted.length && !opened.has(fold)) opened.set(fold, fold.open);
        fold.open = wanted.length ? true : opened.get(fold) ?? fold.open;
      }
      if (!wanted.length) opened.clear();
      const left = reports.filter((report) => !report.hidden).length;
      count.textContent = !wanted.length ? "" : left ? `${left} of ${reports.length} reports` : "No report contains these words";
    };
    input.addEventListener("input", find);
    input.addEventListener("keydown", (event) => { if (event.key === "Escape" && input.value) { event.preventDefault(); input.value = ""; find(); } });
    box.hidden = false;
    find();
  };

  // The age depends on when the page is read; the page itself holds the time.
  const STEPS = [["minute", 60], ["hour", 3600], ["day", 86400], ["week", 604800], ["month", 2629746], ["year", 31556952]];
  const ago = (seconds) => {
    if (seconds < -60) return "in the future: check the clocks";
    if (seconds < 60) return "just now";
    const [name, length] = STEPS.filter(([name, length]) => seconds >= (name === "week" ? 2 : 1) * length && (name !== "month" || seconds >= 2 * length)).at(-1);
    const number = Math.floor(seconds / length);
    return `${number} ${name}${number === 1 ? "" : "s"} ago`;
  };
  const ages = () => {
    const times = all("time[data-age]").map((time) => {
      const age = make("strong", "age", "");
      time.before(age, " (");
      time.after(")");
      return [Date.parse(time.dateTime), age];
    });
    if (!times.length) return;
    const tell = () => { for (const [at, age] of times) age.textContent = ago((Date.now() - at) / 1000); };
    tell();
    setInterval(tell, 60_000);
    document.addEventListener("visibilitychange", tell);
  };

  addEventListener("DOMContentLoaded", () => {
    for (const part of [themes, tables, charts, tiles, whatIf, copying, searching, ages, contents]) part();
    unfoldAddress();
    addEventListener("hashchange", unfoldAddress);
  });

  let folded = [];
  addEventListener("beforeprint", () => { folded = all("details:not([open])"); for (const one of folded) one.open = true; });
  addEventListener("afterprint", () => { for (const one of folded) one.open = false; });
})();
