// The engine behind the page: WebAssembly in workers, asked with JSON, answered with JSON.

/** What runs in a worker. It is turned into text, so it uses nothing from outside. */
function worker() {
  let engine;
  const tell = { progress: (done, total) => postMessage({ done, total }) };
  const start = (module) => {
    // Functions that the engine's libraries import for other uses than this one are never called.
    const imports = { page: tell };
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      imports[from] ??= {};
      imports[from][name] ??= () => { throw new Error(`${from}.${name} is not here`); };
    }
    engine = new WebAssembly.Instance(module, imports).exports;
  };
  const ask = (question) => {
    const bytes = new TextEncoder().encode(JSON.stringify(question));
    const place = engine.question(bytes.length);
    new Uint8Array(engine.memory.buffer, place, bytes.length).set(bytes);
    const answer = engine.ask(place, bytes.length);
    const length = new DataView(engine.memory.buffer).getUint32(answer, true);
    const text = new TextDecoder().decode(new Uint8Array(engine.memory.buffer, answer + 4, length));
    engine.forget(answer);
    return text;
  };
  let module;
  onmessage = ({ data }) => {
    if (data.module) {
      module = data.module;
      start(module);
      return;
    }
    try {
      postMessage({ id: data.id, answer: ask(data.question) });
    } catch (error) {
      // A panic ends an instance; the next question gets a new one.
      start(module);
      postMessage({ id: data.id, answer: JSON.stringify({ error: `the engine has failed: ${error.message}` }) });
    }
  };
}

/** One engine in a worker of its own. */
class Engine {
  #worker;
  #open = new Map();
  #next = 0;
  #progress = () => {};

  constructor(module, address) {
    this.#worker = new Worker(address);
    this.#worker.onmessage = ({ data }) => {
      if (data.total) return this.#progress(data.done, data.total);
      const answered = this.#open.get(data.id);
      this.#open.delete(data.id);
      answered?.(JSON.parse(data.answer));
    };
    this.#worker.postMessage({ module });
  }

  /** Asks a question; the answer is a value, with `mistakes` or `error` if something is wrong. */
  ask(question, progress = () => {}) {
    this.#progress = progress;
    const id = this.#next++;
    return new Promise((answered) => {
      this.#open.set(id, answered);
      this.#worker.postMessage({ id, question });
    });
  }

  end() {
    this.#worker.terminate();
    for (const answered of this.#open.values()) answered({ stopped: true });
    this.#open.clear();
  }
}

/** Unpacks the engine of the page; returns what makes an instance of it. */
export async function load(packed) {
  const letters = atob(packed), bytes = new Uint8Array(letters.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = letters.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  // It is compiled while it is unpacked.
  const module = await WebAssembly.compileStreaming(new Response(stream, { headers: { "content-type": "application/wasm" } }));
  const address = URL.createObjectURL(new Blob([`(${worker})()`], { type: "text/javascript" }));
  return () => new Engine(module, address);
}
