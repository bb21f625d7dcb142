// Work in the background: one worker measures planes, one trains. A worker is made from the text of
// the modules it needs, so that it starts from disk as well. What is asked anew makes older questions
// of the same kind about the same network stale: they end early, with null.
IBLab.define("measuring", ["task", "plane"], function ({ COUNT }, plane) {
  /** What runs in the measuring worker. */
  return function serve(scope) {
    const networks = {}, newest = {}, channel = new MessageChannel();
    let waiting = [], busy = false, wake = null;
    channel.port1.onmessage = () => wake();

    /** Let messages in. */
    const breath = () => new Promise((resolve) => {
      wake = resolve;
      channel.port2.postMessage(0);
    });

    function hold(key, { activation, noise, rows, epochs }) {
      const desk = plane.desk(activation, noise), count = epochs.length;
      const each = Array.from({ length: count }, (_, k) => [rows.slice(COUNT * k, COUNT * (k + 1)), epochs[k]]);
      networks[key] = { desk, due: each };
    }

    /** Answers to the questions; each is asked again and again until it is done. */
    const ANSWERS = {
      async plane({ desk }, { ruler }, stale) {
        const K = desk.length, ixt = new Float64Array(6 * K), ity = new Float64Array(6 * K);
        let since = Date.now();
        for (let k = 0; k < K; k++) {
          const found = desk.measure(ruler, k, k + 1);
          ixt.set(found.ixt, 6 * k);
          ity.set(found.ity, 6 * k);
          if (Date.now() - since > 15) {
            await breath();
            if (stale()) return null;
            since = Date.now();
          }
        }
        return { n: K, ixt, ity };
      },
      async layer({ desk }, { k, layer, ruler }) {
        return desk.layer(k, layer, ruler);
      },
      async parts({ desk }, { ruler, layer }) {
        return { list: desk.parts(ruler, layer) };
      },
    };

    async function answer(question) {
      const { id, what, key } = question, begun = Date.now();
      const stale = () => newest[what + key] !== id;
      const network = networks[key];
      if (!network) throw new RangeError(`no network is held as ${key}.`);
      while (network.due.length && !stale()) {
        network.desk.add(...network.due[0]);
        network.due.shift();
        await breath();
      }
      if (stale() || networks[key] !== network) return null;
      const found = await ANSWERS[what](network, question, stale);
      return found && { ...found, ms: Date.now() - begun };
    }

    async function work() {
      busy = true;
      while (waiting.length) {
        const question = waiting.shift();
        try {
          scope.postMessage({ id: question.id, found: await answer(question) });
        } catch (error) {
          scope.postMessage({ id: question.id, error: error.message });
        }
      }
      busy = false;
    }

    scope.onmessage = ({ data }) => {
      if (data.what === "hold") hold(data.key, data);
      else if (data.what === "extend") networks[data.key].due.push([data.row, data.epoch]);
      else if (data.what === "drop") delete networks[data.key];
      else {
        newest[data.what + data.key] = data.id;
        waiting.push(data);
        if (!busy) work();
      }
    };
  };
});

IBLab.define("training", ["train", "plane"], function (train, plane) {
  /** What runs in the training worker: one network, from the first epoch to the last. */
  return function serve(scope) {
    let ruler, stopped = false;

    function report(trainer, desk, k, n, begun) {
      desk.add(trainer.row, trainer.epoch);
      const found = { ixt: null, ity: null };
      if (ruler) Object.assign(found, desk.measure(ruler, k));
      scope.postMessage({
        ...found, k, n, epoch: trainer.epoch, row: trainer.row.slice(),
        ...trainer.performance(), ms: Date.now() - begun,
      });
    }

    async function run(settings) {
      const begun = Date.now(), trainer = train.trainer(settings);
      const { activation, noise, seed } = trainer.settings, epochs = train.measuredEpochs(trainer.settings);
      const desk = plane.desk(activation, { std: noise, seed });
      let slice = 1;
      for (let k = 0; k < epochs.length; k++) {
        while (trainer.epoch < epochs[k]) {
          const start = Date.now(), n = Math.min(slice, epochs[k] - trainer.epoch);
          trainer.run(n);
          if (n === slice) slice = Date.now() - start < 40 ? 2 * slice : Math.max(1, slice >> 1);
          scope.postMessage({ progress: trainer.epoch });
          await new Promise((resolve) => setTimeout(resolve, 0));
          if (stopped) return { stopped, epoch: trainer.epoch, ms: Date.now() - begun };
        }
        report(trainer, desk, k, epochs.length, begun);
      }
      return { stopped, epoch: trainer.epoch, ms: Date.now() - begun };
    }

    scope.onmessage = ({ data }) => {
      if ("ruler" in data) ruler = data.ruler;
      if (data.stop) stopped = true;
      if (data.settings) {
        run(data.settings).then((done) => scope.postMessage({ done }), (error) => scope.postMessage({ error: error.message }));
      }
    };
  };
});

IBLab.define("worker", [], function () {
  const addresses = {};

  /** A worker that runs one of the modules above. */
  function made(name) {
    const text = `${IBLab.source(name)}\nIBLab.require(${JSON.stringify(name)})(self);`;
    addresses[name] = addresses[name] || URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    return new Worker(addresses[name]);
  }

  function start() {
    const open = {}, newest = {}, runs = new Set();
    let worker = null, count = 0;

    function measuring() {
      if (worker) return worker;
      worker = made("measuring");
      worker.onmessage = ({ data: { id, found, error } }) => {
        const { resolve, reject, place } = open[id];
        delete open[id];
        if (error) reject(new Error(error));
        else resolve(newest[place] === id ? found : null);
      };
      return worker;
    }

    function ask(what, key, question) {
      const id = ++count, place = what + key;
      newest[place] = id;
      return new Promise((resolve, reject) => {
        open[id] = { resolve, reject, place };
        measuring().postMessage({ ...question, id, what, key });
      });
    }

    /** Train a network in a worker of its own; see README.md. */
    function train(settings, ruler, onCheckpoint) {
      const own = made("training"), run = { epoch: 0 };
      runs.add(run);
      let end;
      run.done = new Promise((resolve, reject) => {
        end = (settle, value) => {
          own.terminate();
          runs.delete(run);
          settle(value);
        };
        own.onerror = (event) => end(reject, new Error(event.message));
        own.onmessage = ({ data }) => {
          if (data.error) end(reject, new Error(data.error));
          else if (data.done) end(resolve, data.done);
          else if ("progress" in data) run.epoch = data.progress;
          else onCheckpoint(data);
        };
      });
      run.ruler = (next) => own.postMessage({ ruler: next });
      run.stop = () => own.postMessage({ stop: true });
      own.postMessage({ settings, ruler });
      return run;
    }

    return {
      hold: (key, network) => measuring().postMessage({ what: "hold", key, ...network }),
      extend: (key, row, epoch) => measuring().postMessage({ what: "extend", key, row, epoch }),
      drop: (key) => measuring().postMessage({ what: "drop", key }),
      plane: (key, ruler) => ask("plane", key, { ruler }),
      layer: (key, k, layer, ruler) => ask("layer", key, { k, layer, ruler }),
      parts: (key, ruler, layer) => ask("parts", key, { ruler, layer }).then((found) => found && found.list),
      train,
      close() {
        runs.forEach((run) => run.stop());
        if (worker) worker.terminate();
        worker = null;
      },
    };
  }

  return { start };
});
