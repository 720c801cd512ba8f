// What our own shell, blocks and charts never make, so that on a page of ours it can only come from a payload.
() => {
  const found = [], say = (why, e) => found.push(`${why}: ${(e.outerHTML || e.data || '').slice(0, 120)}`);
  const all = (what) => [...document.querySelectorAll(what)];
  const never = [
    'iframe, frame, object, embed, form, base, link, noscript, template, textarea, select, marquee, video, audio',
    'math, foreignObject, animate, animateTransform, set, svg image, svg a, svg style, svg script, svg title',
    'b, i, font, meta[http-equiv]:not([http-equiv=Content-Security-Policy])',
  ];
  for (const e of all(never.join(', '))) say('element', e);
  for (const e of all('.owned, [owned]')) say('marked', e);
  for (const what of ['script', 'style', 'h1', 'title', 'main', 'body', 'meta[http-equiv]', 'meta[charset]'])
    for (const e of all(what).slice(1)) say(`a second ${what}`, e);
  for (const e of all('img')) if (!/^data:image\/(png|jpeg|webp);base64,/.test(e.src)) say('picture', e);
  for (const e of all('input')) if (!/^cs-(filter|search)$/.test(e.className)) say('field', e);
  for (const e of all('button')) if (!/^(theme|cs-[a-z]+)$/.test(e.className)) say('button', e);
  const leads = /^(src|srcset|href|xlink:href|action|formaction|data|poster|ping|background|manifest)$/i;
  const inside = /^(#|[\w.%=~-]+(\/[\w.%=~-]+)*$)/;
  for (const e of all('*')) {
    if (e instanceof HTMLUnknownElement) say('unknown element', e);
    for (const {name, value} of e.attributes) {
      if (/^on/i.test(name)) say('handler', e);
      if (/[^a-z0-9:_-]/i.test(name)) say('attribute', e);
      if (leads.test(name) && !(name === 'src' ? /^data:image\// : inside).test(value)) say(`${name} leads elsewhere`, e);
      if (name === 'style' && !e.closest('svg') && value.trim() !== 'display:none') say('style', e);
      if (name === 'style' && /url\((?!"?#)|expression|@import|javascript:/i.test(value)) say('style', e);
    }
  }
  const hidden = document.createTreeWalker(document, NodeFilter.SHOW_COMMENT | NodeFilter.SHOW_PROCESSING_INSTRUCTION);
  for (let node = hidden.nextNode(); node; node = hidden.nextNode()) say('comment', node);
  if ('owned' in window) found.push('a payload ran');
  if (document.title === 'owned') found.push('a payload changed the title');
  return found;
}
