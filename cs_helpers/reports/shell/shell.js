// Everything can be read without this: it switches the theme, unfolds what a link or the printer needs,
// and marks the reader's place in the contents.
(() => {
  const root = document.documentElement;
  const stored = (() => { try { return localStorage.getItem("cs-theme"); } catch { return null; } })();
  if (stored) root.dataset.theme = stored;

  const unfold = (id) => {
    const target = id && document.getElementById(id);
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (target) target.scrollIntoView();
  };

  addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("button.theme");
    button.hidden = false;
    button.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      try { localStorage.setItem("cs-theme", root.dataset.theme); } catch { /* a preview without storage */ }
    });

    const contents = document.querySelector("nav.toc details");
    if (contents && matchMedia("(max-width: 1079px)").matches) contents.open = false;

    const links = new Map([...document.querySelectorAll("nav.toc a")].map((a) => [a.hash.slice(1), a]));
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        for (const a of links.values()) a.removeAttribute("aria-current");
        links.get(entry.target.id).setAttribute("aria-current", "true");
      }
    }, { rootMargin: "-10% 0px -80% 0px" });
    for (const id of links.keys()) { const at = document.getElementById(id); if (at) seen.observe(at); }

    if (location.hash) unfold(decodeURIComponent(location.hash.slice(1)));
    addEventListener("hashchange", () => unfold(decodeURIComponent(location.hash.slice(1))));
  });

  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const one of folded) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of folded) one.open = false; });
})();
