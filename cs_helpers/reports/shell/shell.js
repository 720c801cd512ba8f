// Everything can be read without this. It switches the theme, sorts, filters and saves tables, enlarges charts,
// unfolds what a link or the printer needs, marks the reader's place, finds reports and tells their age. Text is only
// ever set as text.
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
        count.textContent = table.wanted.length === rows.length ? `${rows.length.toLocaleString("en")} rows` : table.wanted.length ? `${table.wanted.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows` : "No row holds these words";
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
      // Paper has no button: it gets the rows, of a very long table the first ones.
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
    // The event comes a moment after the dialog has closed, and by then another chart may be open.
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

  // The search box of the index: a report stays where every word typed is in its title, question or figures.
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
      count.textContent = !wanted.length ? "" : left ? `${left} of ${reports.length} reports` : "No report has these words";
    };
    input.addEventListener("input", find);
    input.addEventListener("keydown", (event) => { if (event.key === "Escape" && input.value) { event.preventDefault(); input.value = ""; find(); } });
    box.hidden = false;
    find();
  };

  // How old something is can only be told when it is read; the time itself stands in the page.
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
    for (const part of [themes, tables, charts, tiles, copying, searching, ages, contents]) part();
    unfoldAddress();
    addEventListener("hashchange", unfoldAddress);
  });

  let folded = [];
  addEventListener("beforeprint", () => { folded = all("details:not([open])"); for (const one of folded) one.open = true; });
  addEventListener("afterprint", () => { for (const one of folded) one.open = false; });
})();
