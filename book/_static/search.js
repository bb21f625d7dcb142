// Search over the sections of the book (sections.js). Nothing is fetched, so it works from disk.
(() => {
  const fold = (text) => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
  const input = document.querySelector(".bd-search-container input[name=q], input[name=q]");
  const place = document.getElementById("search-results");
  const query = new URLSearchParams(location.search).get("q") || "";
  document.querySelectorAll("input[name=q]").forEach((field) => { field.value = query; });
  const words = fold(query).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const count = (text, word) => text.split(word).length - 1;
  const WHOLE = 3; // a word that begins here counts more than one that only contains it

  const score = (section) => {
    const [, , title, heading, text] = section;
    const head = fold(`${heading} ${title}`), body = fold(text);
    let sum = 0;
    for (const word of words) {
      const start = new RegExp(`(?<![\\p{L}\\p{N}])${word}`, "u");
      const inHead = head.includes(word), inBody = body.includes(word);
      if (!inHead && !inBody) return 0;
      sum += (fold(heading).includes(word) ? 20 : inHead ? 6 : 0) + Math.min(count(body, word), 5);
      if (start.test(head) || start.test(body)) sum += WHOLE;
    }
    if (words.length > 1 && body.includes(words.join(" "))) sum += 15;
    if (words.length > 1 && fold(heading).includes(words.join(" "))) sum += 30;
    return sum;
  };

  const excerpt = (text) => {
    const body = fold(text), phrase = body.indexOf(words.join(" "));
    const first = Math.min(...words.map((word) => body.indexOf(word)).filter((at) => at >= 0));
    const at = phrase >= 0 ? phrase : first;
    const start = Number.isFinite(at) ? Math.max(0, text.lastIndexOf(" ", Math.max(0, at - 90)) + 1) : 0;
    const cut = text.slice(start, start + 240);
    return (start ? "… " : "") + cut + (start + 240 < text.length ? " …" : "");
  };

  const marked = (text, node) => {
    const found = new RegExp(`(${words.join("|")})`, "giu");
    for (const [i, part] of text.split(found).entries()) {
      const child = i % 2 ? document.createElement("mark") : document.createTextNode("");
      child.textContent = part;
      node.append(child);
    }
    return node;
  };

  if (!words.length) return;
  const found = SECTIONS.map((section) => [score(section), section]).filter(([sum]) => sum > 0);
  found.sort((a, b) => b[0] - a[0]);
  const shown = found.slice(0, 60);
  const status = document.createElement("p");
  status.setAttribute("role", "status");
  status.textContent = found.length
    ? `${found.length} ${found.length === 1 ? "section has" : "sections have"} all of these words.`
      + (found.length > shown.length ? ` The best ${shown.length} are listed.` : "")
    : "No section has all of these words.";
  const list = document.createElement("ol");
  list.className = "found";
  for (const [, [page, anchor, title, heading, text]] of shown) {
    const item = document.createElement("li"), link = document.createElement("a");
    link.href = document.documentElement.dataset.content_root + page + (anchor ? `#${anchor}` : "");
    link.append(marked(heading, document.createElement("strong")));
    if (heading !== title) link.append(` · ${title}`);
    item.append(link, marked(excerpt(text), document.createElement("p")));
    list.append(item);
  }
  place.replaceChildren(status, list);
  input?.focus();
})();
