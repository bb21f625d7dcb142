/* Opens a laboratory where a reader asks for it: until then a page has a picture, a sentence and this file.
 *
 * <div class="lab" data-lab="bench" data-state="net=tanh-1000&ruler=bins:30" data-open="press" or "seen">
 * It is opened by its button, by an address that names it (...#lab-bench), or, where it says "seen", when it
 * comes into sight. Scripts and data are added as script tags beside this file, so that all works from a disk.
 */
(() => {
  "use strict";

  const here = document.currentScript.src.replace(/[^/]*$/, "");
  const boxes = new Map([...document.querySelectorAll(".lab[data-lab]")].map((box) => [box.dataset.lab, box]));
  const { version, modules: names } = [...boxes.values()][0]?.dataset || {},
    modules = (names || "").split(" ");
  const file = (name) => `${here}${name}.js${version ? `?${version}` : ""}`;
  let loaded = null,
    engine = null;

  function added(name) {
    return new Promise((resolve, reject) => {
      const tag = document.createElement("script");
      Object.assign(tag, {
        src: file(name),
        async: false,
        onload: resolve,
        onerror: () => reject(new Error(`${name}.js cannot be read.`)),
      });
      document.head.append(tag);
    });
  }

  /** All that a laboratory needs, once for the page. */
  function all() {
    loaded =
      loaded ||
      (async () => {
        await added("lab");
        await Promise.all(modules.map(added));
        engine = IBLab.require("worker").start();
        return IBLab.require("stored").open(file("data"));
      })();
    return loaded;
  }

  async function open(box, given) {
    if (box.lab) return void (given && (await box.lab).visit(given));
    const button = box.querySelector(".lab-invite button"),
      said = box.querySelector(".lab-wait");
    box.setAttribute("aria-busy", "true");
    if (button) button.disabled = true;
    if (said) said.textContent = "Opening …";
    box.lab = all().then((data) => {
      const { parse } = IBLab.require("ui_state"),
        inside = document.createElement("div");
      inside.className = "lab-bench";
      box.querySelector(".lab-still").replaceWith(inside);
      box.style.minHeight = "";
      return IBLab.require("ui_bench").build(inside, {
        name: box.dataset.lab,
        data,
        engine,
        begun: parse(box.dataset.state || ""),
        initial: given || {},
      });
    });
    try {
      box.bench = await box.lab;
    } catch (error) {
      box.lab = null;
      if (button) button.disabled = false;
      if (said) said.textContent = `The laboratory does not open: ${error.message}`;
      console.error(error);
    }
    box.removeAttribute("aria-busy");
  }

  const named = (hash) => boxes.get(/^#lab-(.+)$/.exec(hash)?.[1]);

  /** Open the laboratory that an address names, in the state that it names. */
  async function follow(url) {
    const box = named(url.hash);
    if (!box) return;
    box.scrollIntoView({ block: "start" });
    try {
      await all();
    } catch {
      return void open(box); // says what is missing
    }
    await open(box, IBLab.require("ui_state").parse(url.search));
  }

  /** A link to a state on this page needs no new page. */
  function stay(event) {
    const link = event.target.closest?.("a.lab-link");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || link.pathname !== location.pathname) return;
    event.preventDefault();
    history.pushState(null, "", link.href);
    follow(link);
  }
  document.addEventListener("click", stay);
  addEventListener("popstate", () => follow(location));

  for (const box of boxes.values()) {
    // What comes into sight opens by itself: its room is kept, so that nothing moves.
    if (box.dataset.open === "seen") box.style.minHeight = box.clientWidth < 640 ? "110rem" : "74rem";
    const invite = box.querySelector(".lab-invite");
    invite.hidden = false;
    invite.querySelector("button").addEventListener("click", async () => {
      await open(box);
      box.querySelector("input")?.focus();
    });
  }
  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries)
      if (isIntersecting) {
        seen.unobserve(target);
        open(target);
      }
  });
  const start = () => {
    follow(location);
    for (const box of boxes.values()) if (box.dataset.open === "seen") seen.observe(box);
  };
  if (document.readyState === "complete") start();
  else addEventListener("load", start);
})();
