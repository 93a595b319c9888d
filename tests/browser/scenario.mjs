// A test with a server, a browser and people in it. Owns what every test has to hold besides its own subject: no request
// leaves the server, no error reaches the console, no rule of the page's policy is broken. Leaves a screenshot of each page.

import assert from 'node:assert/strict';
import { access, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { flags } from './chromium.mjs';
import { HostSite } from './host_site.mjs';
import { Ide } from './ide.mjs';
import { Server } from './server.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pictures = path.join(root, 'target/browser');
const program = process.env.EMBEDENV_BIN ?? path.join(root, 'target/release/embedenv');
const browsers = [process.env.EMBEDENV_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The longest a test may take, far beyond what one does. */
const TEST = 180_000;
/** The longest any single step waits for what it expects. */
const STEP = 20_000;

/** How far away the server is for people, ms each way: what a page shows before the answer is there is then seen by the tests. */
const FAR = Number(process.env.EMBEDENV_FAR ?? 0);

/** In the page: what its sockets say and hear is `ms` under way. */
function farAway(ms) {
  const { prototype } = WebSocket;
  const { send, addEventListener, removeEventListener } = prototype;
  const late = new Map();
  prototype.send = function (data) {
    // Bytes may be the page's own memory, which has changed by then.
    const said = typeof data === 'string' ? data : data.slice();
    setTimeout(() => this.readyState === WebSocket.OPEN && send.call(this, said), ms);
  };
  prototype.addEventListener = function (kind, listener, ...rest) {
    if (kind === 'message') {
      late.set(listener, (event) => setTimeout(() => late.has(listener) && listener.call(this, event), ms));
    }
    addEventListener.call(this, kind, late.get(listener) ?? listener, ...rest);
  };
  prototype.removeEventListener = function (kind, listener, ...rest) {
    removeEventListener.call(this, kind, late.get(listener) ?? listener, ...rest);
    late.delete(listener);
  };
}

/**
 * A test of the whole product: `run(stage)`. The `name` is a sentence and names the screenshots too.
 * While `stage.serverIsGone()`, failing to reach it is no trouble. `env(stage)` makes settings of the server, `args` are flags of the
 * browser.
 */
export function scenario(name, run, { env, args } = {}) {
  test(name, { timeout: TEST }, async () => {
    const browser = await launch(args);
    if (!browser) return;
    const stage = new Stage(name, browser);
    try {
      stage.server = await Server.start(program, await env?.(stage));
      await run(stage);
      assert.deepEqual(stage.troubles, []);
    } catch (error) {
      if (stage.server) console.error(`The server's log:\n${stage.server.log}`);
      for (const trouble of stage.troubles) console.error(`Trouble: ${trouble}`);
      console.error(await stage.sight());
      throw error;
    } finally {
      await stage.clear();
    }
  });
}

/** The browser; without one the test is skipped, unless it is CI's duty to have one. */
async function launch(args = []) {
  for (const executablePath of browsers.filter(Boolean)) {
    try {
      await access(executablePath);
    } catch {
      continue;
    }
    return chromium.launch({ executablePath, args: [...flags, ...args] });
  }
  if (process.env.EMBEDENV_CI) throw new Error('there is no Chromium');
  console.log('SKIPPED: there is no Chromium; name one in EMBEDENV_CHROMIUM');
  return null;
}

class Stage {
  #name;
  #browser;
  #others = [];
  #people = [];
  #serverGone = false;
  #hosts = [];
  #expected = [];

  constructor(name, browser) {
    this.#name = name;
    this.#browser = browser;
    /** What should not have happened. */
    this.troubles = [];
    this.server = null;
  }

  /**
   * Opens `link` as someone who was never here: a browser profile of their own, and with `otherBrowser` a process of its
   * own. `name` is what the others see. `before` is done to the page before it is opened.
   */
  async person({ link = this.server.link, name, otherBrowser = false, before, ...options } = {}) {
    if (name) link += `&user=${encodeURIComponent(name)}`;
    if (otherBrowser) this.#others.push(await launch());
    const browser = otherBrowser ? this.#others.at(-1) : this.#browser;
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    context.setDefaultTimeout(STEP);
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(link).origin });
    const page = await context.newPage();
    this.#watch(page);
    if (FAR) await page.addInitScript(farAway, FAR);
    await before?.(page);
    const ide = new Ide(page);
    this.#people.push(ide);
    await ide.open(link);
    return ide;
  }

  /** A page that is none of ours. */
  async blankPage() {
    const page = await (await this.#browser.newContext()).newPage();
    this.#watch(page);
    return page;
  }

  /** A site of its own, on another origin than the server, whose pages have the server's in frames. */
  async host(pages) {
    const host = await HostSite.start(pages);
    this.#hosts.push(host);
    return host;
  }

  /** A site that another program serves at `origin`, until the test stops it: pages may ask it for things. */
  know(origin) {
    const { host } = new URL(origin);
    this.#hosts.push({ is: (asked) => asked === host, stop() {} });
  }

  /** A page of such a site, opened by somebody. */
  async visit(url, { before, ...options } = {}) {
    const context = await this.#browser.newContext({ viewport: { width: 1000, height: 800 }, ...options });
    context.setDefaultTimeout(STEP);
    const page = await context.newPage();
    this.#watch(page);
    await before?.(page);
    await page.goto(url);
    return page;
  }

  /** What everybody sees in their terminals, and where they have the keyboard. */
  async sight() {
    const seen = await Promise.all(this.#people.map((ide) => ide.sight().catch((error) => `nothing: ${error.message}`)));
    return seen.map((sight, at) => `Person ${at + 1} sees ${sight}`).join('\n');
  }

  /** Says that a line in the console is to be expected. */
  expect(pattern) {
    this.#expected.push(pattern);
  }

  /** Says that the server is down, so that a page that can't reach it is to be expected. */
  serverIsGone(gone) {
    this.#serverGone = gone;
  }

  #watch(page) {
    const isOwn = (host) => host === new URL(this.server.link).host || this.#hosts.some((site) => site.is(host));
    const port = new URL(this.server.link).port;
    // What apps do in their previews is their own; where they are is the server's.
    const named = new RegExp(`^(http|ws)://[0-9]+-[a-z0-9]+\\.localhost:${port}/`);
    const isPreview = (url) => named.test(url) || /^(http|ws):\/\/localhost:[0-9]+\/[0-9]+-[a-z0-9]+~/.test(url);
    const foreign = (url) =>
      ['http:', 'https:', 'ws:', 'wss:'].includes(new URL(url).protocol) && !isOwn(new URL(url).host) && !isPreview(url);
    page.on('request', (request) => {
      if (foreign(request.url())) this.troubles.push(`a request to ${request.url()}`);
    });
    page.on('websocket', (socket) => {
      if (foreign(socket.url())) this.troubles.push(`a socket to ${socket.url()}`);
    });
    page.on('pageerror', (error) => {
      const at = /https?:[^\s)]*/.exec(error.stack ?? '')?.[0];
      if (!at || !isPreview(at)) this.troubles.push(`an exception: ${error.stack ?? error}`);
    });
    page.on('console', (message) => {
      const isUnreached = this.#serverGone && /ERR_(CONNECTION_REFUSED|INTERNET_DISCONNECTED)/.test(message.text());
      const expected = isUnreached || this.#expected.some((pattern) => pattern.test(message.text()));
      // Violations of the page's policy are written to the console as errors.
      const { url, lineNumber, columnNumber } = message.location();
      if (message.type() !== 'error' || expected || isPreview(url)) return;
      this.troubles.push(`in the console: ${message.text()} (${url}:${lineNumber}:${columnNumber})`);
    });
  }

  async clear() {
    await mkdir(pictures, { recursive: true });
    const slug = this.#name.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase();
    try {
      for (const [index, ide] of this.#people.entries()) {
        const suffix = index === 0 ? '' : `-${index + 1}`;
        await ide.page.screenshot({ path: path.join(pictures, `${slug}${suffix}.png`) });
      }
    } finally {
      for (const browser of [this.#browser, ...this.#others]) await browser.close();
      for (const host of this.#hosts) await host.stop();
      await this.server?.stop();
    }
  }
}
