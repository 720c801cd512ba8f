// What a reader would see of a page as it stands: a list of faults for each part of a survey (see browser.py).
() => {
  const screen = document.documentElement.clientWidth;
  const found = {wide: [], small: [], outside: [], crowded: [], targets: [], pale: []};
  const round = (n) => Math.round(n * 100) / 100;
  const say = (e, more) =>
    `<${e.tagName.toLowerCase()} class="${e.getAttribute('class') || ''}"> ` +
    `${(e.textContent || '').trim().replace(/\s+/g, ' ').slice(0, 60)} [${more}]`;
  const seen = (e) =>
    e.checkVisibility({opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true});
  // Only tables may be wider than their place; what scrolls in them is judged by the place itself.
  const scrolls = (e) => { const box = e.closest('.cs-table'); return box && box !== e; };
  const off = (box) => box.width > 0 && (box.right > screen + 1 || box.left < -1);
  const place = (box) => `${round(box.left)} to ${round(box.right)} of ${screen} px`;

  // Colours as [red, green, blue, opacity], laid over each other; contrast by WCAG's relative luminance.
  const rgba = (text) => {
    const [r = 0, g = 0, b = 0, a = 1] = (text.match(/[\d.]+/g) || []).map(Number);
    return text.startsWith('color(srgb') ? [r * 255, g * 255, b * 255, a] : [r, g, b, a];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (c) => 0.2126 * linear(c[0] / 255) + 0.7152 * linear(c[1] / 255) + 0.0722 * linear(c[2] / 255);
  const contrast = (one, other) => {
    const [a, b] = [light(one), light(other)].sort((p, q) => q - p);
    return (a + 0.05) / (b + 0.05);
  };
  const paper = (e) => {
    const layers = [];
    for (let at = e; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      layers.unshift(colour);
      if (colour[3] === 1) break;
    }
    return layers.reduce((under, colour) => over(colour, under), [255, 255, 255, 1]);
  };
  const filled = new Map();
  const shapes = (svg) => {
    if (filled.has(svg)) return filled.get(svg);
    const all = [...svg.querySelectorAll('path, rect, use')].filter((e) => !e.closest('defs, clipPath'));
    const painted = all.map((e) => {
      const style = getComputedStyle(e), [r, g, b, a] = rgba(style.fill);
      const strength = style.fill === 'none' ? 0 : a * style.fillOpacity * style.opacity;
      return {e, box: e.getBoundingClientRect(), colour: [r, g, b, strength]};
    }).filter((one) => one.colour[3] > 0);
    filled.set(svg, painted);
    return painted;
  };
  const behind = (e, drawn) => {
    if (!drawn) return paper(e);
    const box = e.getBoundingClientRect(), x = (box.left + box.right) / 2, y = (box.top + box.bottom) / 2;
    return shapes(e.ownerSVGElement)
      .filter(({e: shape, box: at}) => at.left <= x && x <= at.right && at.top <= y && y <= at.bottom &&
        shape.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING)
      .reduce((under, {colour}) => over(colour, under), paper(e));
  };

  if (document.documentElement.scrollWidth > screen)
    found.wide.push(`the page itself: ${document.documentElement.scrollWidth} of ${screen} px`);
  for (const e of document.querySelectorAll('body *')) {
    if (e.closest('.skip') || e.ownerSVGElement || scrolls(e) || !seen(e)) continue;
    const box = e.getBoundingClientRect();
    if (off(box)) found.wide.push(say(e, place(box)));
  }

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (!node.data.trim() || e.closest('.skip, script, style') || !seen(e)) continue;
    const style = getComputedStyle(e), text = e.closest('text');
    const drawn = text instanceof SVGTextElement ? text : null;

    let size = parseFloat(style.fontSize);
    if (drawn) {
      const m = drawn.getScreenCTM();
      size *= Math.sqrt(Math.abs(m.a * m.d - m.b * m.c));
    }
    if (size < 10.95) found.small.push(say(e, `${round(size)} px`));

    const ink = rgba(drawn ? style.fill : style.color), under = behind(e, drawn);
    ink[3] *= drawn ? style.fillOpacity * style.opacity : style.opacity;
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = contrast(over(ink, under), under);
    if (ratio < (large ? 2.995 : 4.495)) found.pale.push(say(e, `contrast ${round(ratio)}`));

    if (scrolls(e)) continue;
    range.selectNodeContents(node);
    const tile = e.closest('.cs-def') ? null : e.closest('.cs-tile')?.getBoundingClientRect();
    for (const box of range.getClientRects()) {
      if (off(box)) {
        (drawn ? found.outside : found.wide).push(say(e, `text ${place(box)}`));
        break;
      }
      if (tile && box.width && (box.right > tile.right + 1 || box.bottom > tile.bottom + 1)) {
        found.crowded.push(say(e, 'text leaves its tile'));
        break;
      }
    }
  }

  const tiles = [...document.querySelectorAll('.cs-tile')].filter(seen).map((e) => [e, e.getBoundingClientRect()]);
  tiles.forEach(([one, a], i) => tiles.slice(i + 1).forEach(([, b]) => {
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (across > 1 && down > 1) found.crowded.push(say(one, 'lies over another tile'));
  }));

  for (const e of document.querySelectorAll('button, summary, input, select')) {
    const box = e.getBoundingClientRect();
    if (seen(e) && box.width && (box.width < 23.9 || box.height < 23.9))
      found.targets.push(say(e, `${round(box.width)} x ${round(box.height)} px`));
  }
  return found;
}
