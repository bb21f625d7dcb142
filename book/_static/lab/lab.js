// The registry of the laboratory's modules: classic scripts that know each other by name.
//
// A module is a factory of its dependencies. As the text of a factory is at hand, the same modules
// run in a worker made from that text; nothing is fetched, so that all works from disk.

/** A registry; its text is part of every worker. */
function createRegistry() {
  const factories = {}, made = {};

  /** @param {string} name  @param {string[]} deps  @param {Function} factory */
  function define(name, deps, factory) {
    if (!factories[name]) factories[name] = { deps, factory };
  }

  /** The module of a name, made when it is first asked for. */
  function require(name) {
    if (!(name in made)) {
      if (!factories[name]) throw new Error(`no module is called ${name}; is its script loaded?`);
      const { deps, factory } = factories[name];
      made[name] = factory(...deps.map(require));
    }
    return made[name];
  }

  /** A script that defines a registry, the module and all it needs. */
  function source(name) {
    const order = [];
    (function visit(one) {
      if (order.includes(one)) return;
      if (!factories[one]) throw new Error(`no module is called ${one}; is its script loaded?`);
      factories[one].deps.forEach(visit);
      order.push(one);
    })(name);
    const defined = order.map((one) =>
      `IBLab.define(${JSON.stringify(one)}, ${JSON.stringify(factories[one].deps)}, ${factories[one].factory});`);
    return [`${createRegistry}`, "const IBLab = createRegistry();", ...defined].join("\n");
  }

  const scripts = {};

  /** Add a script tag, once; the promise is kept when it has run. */
  function script(url) {
    scripts[url] = scripts[url] || new Promise((resolve, reject) => {
      const tag = document.createElement("script");
      tag.src = url;
      tag.onload = () => resolve();
      tag.onerror = () => reject(new Error(`${url} cannot be loaded.`));
      document.head.append(tag);
    });
    return scripts[url];
  }

  return { define, require, source, script };
}

if (typeof window !== "undefined" && !window.IBLab) window.IBLab = createRegistry();
