/* The ledger as a tool: filters, search, order and counts over a table that is there without them.
 *
 * Each line of the table carries what it is filtered by (data-question="2", data-ruler="A|B"), each
 * of its cells what it is sorted by (data-key). The state stands in the address, so that
 * ledger.html?question=4&sort=-Effect shows the same lines to everybody, from a disk as well. What
 * follows "#" names a claim; "#question=4" is read like "?question=4". Who adds a column or a filter
 * later (bar.js) says so by the event "columns"; its own state stands in hidden inputs of the form.
 */
(() => {
  "use strict";

  const table = document.getElementById("ledger-table");
  const form = document.getElementById("ledger-form");
  const count = document.getElementById("ledger-count");
  const opener = document.getElementById("ledger-open");
  if (!table || !form || !count) return;

  const body = table.tBodies[0];
  const lines = [...body.rows]; // in the order of the book
  const texts = lines.map((line) => line.textContent.toLowerCase());
  const selects = () => [...form.querySelectorAll("select")]; // bar.js brings one more
  const words = [...form.elements.word.options].map((option) => option.value).filter(Boolean);
  const heads = () => [...table.tHead.rows[0].cells];
  let order = { name: "", down: false }; // "" is the order of the book

  // What is shown --------------------------------------------------------------------------------

  function matches(line, k, search) {
    return (
      search.every((word) => texts[k].includes(word)) &&
      selects().every(
        ({ name, value }) => !value || (line.dataset[name] ?? "").split("|").includes(value),
      )
    );
  }

  function show() {
    const search = form.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const times = new Map();
    let shown = 0;
    lines.forEach((line, k) => {
      line.hidden = !matches(line, k, search);
      if (line.hidden) return;
      shown += 1;
      times.set(line.dataset.word, (times.get(line.dataset.word) ?? 0) + 1);
    });
    const said = words.filter((word) => times.has(word)).map((word) => `${times.get(word)} ${word}`);
    const text = `${shown} of ${lines.length} shown${said.length ? `: ${said.join(", ")}` : ""}.`;
    // Said once only, or a screen reader would repeat it at every key.
    if (count.textContent !== text) count.textContent = text;
  }

  // Order ----------------------------------------------------------------------------------------

  function key(line, column) {
    const found = line.cells[column].dataset.key;
    return found === undefined ? null : Number(found);
  }

  /* Lines without a value stay last in both directions; equal ones keep the order of the book. */
  function compare(column, down) {
    const sign = down ? -1 : 1;
    return (a, b) => {
      const [x, y] = [key(a, column), key(b, column)];
      if (x === null || y === null) return (x === null) - (y === null);
      return sign * (x - y);
    };
  }

  function sort() {
    const column = heads().findIndex((head) => head.dataset.name === order.name);
    const sorted = [...lines];
    if (column > 0) sorted.sort(compare(column, order.down));
    else if (order.name && order.down) sorted.reverse();
    body.append(...sorted);
    for (const head of heads()) {
      const own = Boolean(order.name) && head.dataset.name === order.name;
      if (own) head.setAttribute("aria-sort", order.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  }

  /* Up, down, and back to the order of the book. */
  function next(name) {
    if (order.name !== name) return { name, down: false };
    return order.down ? { name: "", down: false } : { name, down: true };
  }

  function addSortButtons() {
    heads().forEach((head, column) => {
      if (head.dataset.name) return;
      head.dataset.name = head.textContent;
      if (column && !lines.some((line) => line.cells[column].dataset.key !== undefined)) return;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.title = "Sort by this column";
      button.addEventListener("click", () => {
        order = next(head.dataset.name);
        sort();
        keep();
      });
      head.replaceChildren(button);
    });
  }

  // The address ----------------------------------------------------------------------------------

  function asked() {
    const given = new URLSearchParams(location.search);
    const more = location.hash.slice(1);
    if (more.includes("=")) new URLSearchParams(more).forEach((value, name) => given.set(name, value));
    return given;
  }

  function read() {
    const given = asked();
    form.elements.q.value = given.get("q") ?? "";
    for (const select of selects()) {
      const value = given.get(select.name) ?? "";
      const known = [...select.options].some((option) => option.value === value);
      select.value = known ? value : "";
    }
    for (const { name } of form.querySelectorAll("input[type=hidden]")) {
      form.elements[name].value = given.get(name) ?? "";
    }
    const [, down, name] = /^(-?)(.*)$/.exec(given.get("sort") ?? "");
    const known = heads().some((head) => head.dataset.name === name && head.querySelector("button"));
    order = known ? { name, down: Boolean(down) } : { name: "", down: false };
  }

  function keep() {
    const state = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (value.trim()) state.set(name, value.trim());
    }
    if (order.name) state.set("sort", (order.down ? "-" : "") + order.name);
    const hash = location.hash.includes("=") ? "" : location.hash;
    const query = String(state) ? `?${state}` : "";
    history.replaceState(null, "", location.pathname + query + hash);
  }

  // One claim ------------------------------------------------------------------------------------

  /* Open the claim that the address names, also where a filter hides it. */
  function goToClaim() {
    const line = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!line || !body.contains(line)) return;
    if (line.hidden) {
      clear();
      keep();
    }
    line.querySelector("details").open = true;
    line.scrollIntoView({ block: "start" });
  }

  function clear() {
    form.elements.q.value = "";
    for (const select of selects()) select.value = "";
    order = { name: "", down: false };
    sort();
    show();
  }

  function openAll(open) {
    for (const details of body.querySelectorAll("details")) details.open = open;
    opener.setAttribute("aria-pressed", String(open));
  }

  // Start ----------------------------------------------------------------------------------------

  let waiting;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    clearTimeout(waiting);
    const now = () => {
      show();
      keep();
    };
    if (event.target.name === "q") waiting = setTimeout(now, 120);
    else now();
  });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    clear();
    keep();
  });
  form.addEventListener("columns", () => {
    addSortButtons();
    read();
    sort();
    show();
  });
  opener.addEventListener("click", () => openAll(opener.getAttribute("aria-pressed") !== "true"));
  window.addEventListener("beforeprint", () => openAll(true));
  window.addEventListener("hashchange", () => {
    if (location.hash.includes("=")) {
      read();
      sort();
      show();
    } else goToClaim();
  });

  addSortButtons();
  read();
  sort();
  show();
  form.hidden = false;
  goToClaim();
})();
