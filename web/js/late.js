// The page's late half and its style sheet: asked for as soon as the early one runs, put in when the browser is idle, or at
// the first call of a function in it. `finish.mjs` puts this before wasm-bindgen's own script and fills in the addresses.

const late = {
  url: new URL('LATE', import.meta.url),
  imports: null,
  exports: null,
  module: null,
  isIn: false,
  told: () => {},
  dressed: () => {},

  /** The early half is about to run. */
  begins(exports) {
    late.exports = exports;
    late.dress();
    WebAssembly.compileStreaming(fetch(late.url, { priority: 'low' })).then(
      (module) => {
        late.module ??= module;
        if (globalThis.requestIdleCallback) requestIdleCallback(late.load, { timeout: 500 });
        else setTimeout(late.load);
      },
      // It is asked for again when it is needed.
      () => late.told(),
    );
  },

  /** Asks for its style sheet. */
  dress() {
    const sheet = document.createElement('link');
    sheet.rel = 'stylesheet';
    sheet.href = new URL('SHEET', import.meta.url);
    sheet.fetchPriority = 'low';
    // Without it what comes late is plain, and works.
    sheet.onload = sheet.onerror = () => late.dressed();
    document.head.append(sheet);
  },

  /** Puts it in, if it is not. Whoever calls a function of it waits here if it has not come yet. */
  load() {
    if (late.isIn) return;
    late.module ??= new WebAssembly.Module(late.wait());
    new WebAssembly.Instance(late.module, { ...late.imports, early: late.exports });
    late.isIn = true;
    late.told();
  },

  /** Its bytes, at once. Nothing but this old kind of request can be waited for in the middle of a call. */
  wait() {
    const request = new XMLHttpRequest();
    request.open('GET', late.url, false);
    request.overrideMimeType('text/plain; charset=x-user-defined');
    request.send();
    if (request.status !== 200) throw new Error(`a part of the page could not be loaded: ${request.status}`);
    return Uint8Array.from(request.response, (letter) => letter.charCodeAt(0) & 0xff);
  },
};

/** Settled once the page is whole, or as whole as it gets by itself. */
globalThis.embedenvWhole = Promise.all([
  new Promise((resolve) => (late.told = resolve)),
  new Promise((resolve) => (late.dressed = resolve)),
]);
