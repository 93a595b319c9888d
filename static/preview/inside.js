// Runs in an app's page that is shown in the IDE's preview: tells the pane where the page is and what its console says, and
// goes where the pane says. Speaks to no page but the IDE's own origins, over a port that such a page handed it.
(() => {
  'use strict';
  const IDE = {{ORIGINS}};
  const MOST_TEXT = 2000; // of a console line, in characters; the rest is cut
  const MOST_LINES = 200; // a second; more are counted and not sent
  const MOST_KEPT = 500; // messages before the pane has answered; the oldest are dropped
  const GATHER = 100; // ms for which lines are gathered into one message: the page around draws each
  const above = window.parent;
  if (above === window) return;
  let pane = null;
  let waiting = [];
  let second = 0;
  let lines = 0;
  let gathered = [];
  const send = (message) => {
    if (pane) pane.postMessage(message);
    else if (waiting.push(message) > MOST_KEPT) waiting.shift();
  };
  const shown = (value) => {
    try {
      if (typeof value === 'string') return value;
      if (value instanceof Error) return value.stack || String(value);
      if (typeof value === 'object' && value !== null) return JSON.stringify(value) ?? String(value);
      return String(value);
    } catch {
      return Object.prototype.toString.call(value);
    }
  };
  const flush = () => gathered.length > 0 && send({ type: 'console', lines: gathered.splice(0) });
  addEventListener('pagehide', flush);
  const say = (level, values, place) => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) [second, lines] = [now, 0];
    if (++lines > MOST_LINES) return;
    if (gathered.length === 0) setTimeout(flush, GATHER);
    gathered.push({ level, text: values.map(shown).join(' ').slice(0, MOST_TEXT), place });
  };
  for (const level of ['debug', 'log', 'info', 'warn', 'error']) {
    const own = console[level].bind(console);
    console[level] = (...values) => {
      own(...values);
      say(level, values);
    };
  }
  addEventListener('error', (event) => {
    if (!(event instanceof ErrorEvent)) {
      const at = event.target?.src || event.target?.href;
      if (at) say('error', [`could not be loaded: ${at}`]);
      return;
    }
    say('error', [event.error ?? event.message], `${event.filename}:${event.lineno}:${event.colno}`);
  }, true);
  addEventListener('unhandledrejection', (event) => say('error', ['Unhandled rejection:', event.reason]));
  let told = '';
  const place = () => {
    const at = `${location.href}\n${document.title}`;
    if (at === told) return;
    told = at;
    send({ type: 'place', url: location.href, title: document.title.slice(0, 200) });
  };
  for (const name of ['pushState', 'replaceState']) {
    const own = history[name];
    history[name] = function (...values) {
      const done = own.apply(this, values);
      place();
      return done;
    };
  }
  for (const event of ['popstate', 'hashchange', 'DOMContentLoaded', 'load', 'pageshow']) addEventListener(event, place);
  addEventListener('message', (event) => {
    if (event.source !== above || event.data !== 'embedenv-preview') return;
    event.stopImmediatePropagation();
    if (!IDE.includes(event.origin) || !event.ports[0]) return;
    pane?.close();
    pane = event.ports[0];
    pane.onmessage = ({ data }) => {
      if (data?.go === 'back') history.back();
      else if (data?.go === 'reload') location.reload();
    };
    for (const message of waiting.splice(0)) pane.postMessage(message);
    told = '';
    place();
  }, true);
  above.postMessage('embedenv-preview', '*');
})();
