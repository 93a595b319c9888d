// The page in a frame of somebody else's site: what its address and the script for such sites can do, and what they can't.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

/** A page that has more than fits, so that a scroll would show, and a field that has the keyboard. */
const page = (body) => `<!doctype html><html><head><title>Host</title><link rel="icon" href="data:,"></head>
  <body style="margin: 16px; font: 16px system-ui"><input aria-label="Mine" autofocus>${body}<div style="height: 3000px"></div></body></html>`;

const keyOf = (stage) => new URL(stage.server.link).hash.slice('#join='.length).split('&')[0];
const originOf = (stage) => new URL(stage.server.link).origin;

/** A page with the script, and what it does with it. */
const scripted = (stage, script, body = '<div id="at"></div>') =>
  page(`${body}<script src="${originOf(stage)}/embed.js"></script><script>${script}</script>`);

const frameOf = (page) => page.frameLocator('iframe');

/** Waits until the page's own script has put something under a name. */
const made = (page, name) => page.waitForFunction((name) => globalThis[name], name);

scenario('an address in a frame shows its files, and takes neither keyboard nor scroll', async (stage) => {
  const address = `${originOf(stage)}/embed?file=ask.py,README.md&highlights=1,3-4&view=editor&theme=light&fontsize=16&bad=1&view=nonsense#join=${keyOf(stage)}`;
  const site = await stage.host({
    '/': page(`<div style="height: 900px"></div><iframe src="${address}" width="900" height="420"></iframe>`),
  });
  const warnings = [];
  const host = await stage.visit(site.origin, {
    colorScheme: 'dark',
    before: (page) => page.on('console', (message) => message.type() === 'warning' && warnings.push(message.text())),
  });
  const frame = frameOf(host);
  const editor = frame.getByRole('textbox', { name: 'Editor: ask.py' });
  await editor.getByText('def').or(editor.locator('.cm-line')).first().waitFor();
  await frame.getByRole('tab', { name: /^README.md/ }).waitFor();
  await frame.locator('.cm-highlighted').first().waitFor();
  assert.equal(await frame.locator('.cm-highlighted').count(), 3);
  assert.equal(await frame.locator('html').getAttribute('data-theme'), 'light');
  assert.equal(await host.evaluate(() => scrollY), 0, 'the page around has not moved');
  assert.equal(await host.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Mine');
  assert.ok(warnings.some((text) => text.includes('`view`')), 'what can’t be used is named');
  await host.locator('iframe').scrollIntoViewIfNeeded();
  await host.screenshot({ path: 'target/browser/embed-address.png' });
  await frame.getByRole('link', { name: 'Open in the IDE' }).waitFor();

  // Whoever goes into it has the keyboard there.
  await editor.click();
  await host.keyboard.type('# typed ');
  await editor.getByText('# typed').waitFor();

  // Running it is asked for by a person, and shows where it prints.
  await frame.getByRole('button', { name: 'Run', exact: true }).click();
  await frame.getByRole('region', { name: /^Terminal/ }).waitFor();
  await host.screenshot({ path: 'target/browser/embed-address-run.png' });
});

scenario('a host has a sandbox of its own by the script, and every method and event of it works', async (stage) => {
  const site = await stage.host({
    '/': scripted(
      stage,
      `globalThis.events = [];
       EmbedEnv.embedProject('#at', { title: 'Mine', files: { 'hello.py': 'print(6 * 7)\\n', 'lib/more.txt': 'more' } },
         { join: '${keyOf(stage)}', user: 'Host', view: 'split', theme: 'dark', height: 500 }).then((vm) => {
           for (const name of ['ready', 'change', 'stdout', 'exit', 'port', 'participant', 'error'])
             vm.on(name, (event) => events.push([name, event]));
           globalThis.vm = vm;
         });`,
    ),
  });
  const host = await stage.visit(site.origin);
  await made(host, 'vm');
  const frame = frameOf(host);
  assert.equal(await host.locator('iframe').getAttribute('title'), 'Mine');
  assert.ok(!(await host.locator('iframe').getAttribute('src')).includes(keyOf(stage)), 'the key is in no address');
  await frame.getByRole('textbox', { name: 'Editor: hello.py' }).getByText('print').waitFor();
  await host.screenshot({ path: 'target/browser/embed-vm.png' });

  const vm = (run, argument) => host.evaluate(run, argument);
  const ran = await vm(() => vm.run('python hello.py; exit 3'));
  assert.deepEqual([ran.code, ran.signal, ran.output], [3, null, '42\r\n']);
  const events = (name) => vm((name) => events.filter(([it]) => it === name).map(([, event]) => event), name);
  assert.equal((await events('stdout')).map(({ text }) => text).join(''), '42\r\n');
  assert.deepEqual((await events('exit')).map(({ code }) => code), [3]);

  await vm(() => vm.applyFsDiff({ create: { 'a/new.py': 'print("é")\n', 'hello.py': 'print(7)\n' }, destroy: ['lib'] }));
  await frame.getByRole('textbox', { name: 'Editor: hello.py' }).getByText('7').waitFor();
  const files = await vm(() => vm.getFsSnapshot());
  assert.equal(files['a/new.py'], 'print("é")\n');
  assert.equal(files['hello.py'], 'print(7)\n');
  assert.equal(files['lib/more.txt'], undefined);
  await host.waitForFunction(() => events.some(([name, event]) => name === 'change' && typeof event.folder === 'string'));

  // Changes are told of every folder, also of those that nobody has opened, and of new ones.
  const changed = (folder, file) =>
    host.waitForFunction(
      ([folder, file]) => events.some(([name, event]) => name === 'change' && event.folder === folder && (!file || event.names.includes(file))),
      [folder, file],
    );
  await vm(() => vm.run('echo 1 > a/made.txt'));
  await changed('a', 'made.txt');
  await vm(() => vm.run('mkdir -p b/c/d; echo 1 > b/c/d/first.txt'));
  await changed('b/c/d');
  await vm(() => vm.run('echo 2 > b/c/d/second.txt'));
  await changed('b/c/d', 'second.txt');

  await vm(() => vm.editor.openFile('a/new.py:L1'));
  await frame.getByRole('textbox', { name: 'Editor: a/new.py' }).waitFor();
  await vm(() => vm.editor.setCurrentFile('hello.py'));
  await frame.getByRole('textbox', { name: 'Editor: hello.py' }).waitFor();
  await vm(() => vm.editor.setTheme('light'));
  await frame.locator('html[data-theme=light]').waitFor({ state: 'attached' });
  await vm(() => vm.editor.setView('terminal'));
  await frame.getByRole('textbox', { name: 'Editor: hello.py' }).waitFor({ state: 'hidden' });
  await host.screenshot({ path: 'target/browser/embed-terminal.png' });
  await vm(() => vm.editor.setView('default'));

  const terminal = await vm(() => vm.terminal.open());
  await vm((terminal) => vm.terminal.write('python -m http.server 4567\r', terminal), terminal);
  await host.waitForFunction(() => events.some(([name, event]) => name === 'port' && event.port === 4567 && event.open));
  assert.ok((await vm(() => vm.ports())).some(({ port }) => port === 4567));
  await vm(() => vm.preview.setUrl('http://localhost:4567/'));
  await frame.frameLocator('iframe').getByRole('link', { name: 'hello.py' }).waitFor();
  assert.equal(await vm(() => vm.preview.getUrl()), 'http://localhost:4567/');
  await vm(() => vm.preview.setUrl('/a/'));
  await frame.frameLocator('iframe').getByRole('link', { name: 'new.py' }).waitFor();
  assert.equal(await vm(() => vm.preview.getUrl()), 'http://localhost:4567/a/');
  await vm((terminal) => vm.terminal.stop(terminal), terminal);
  await host.waitForFunction(() => events.some(([name, event]) => name === 'port' && event.port === 4567 && !event.open));

  await stage.person({ name: 'Other' });
  await host.waitForFunction(() => events.some(([name, event]) => name === 'participant' && event.people.some(({ user }) => user === 'Other')));

  const refused = (run) => vm(run).then(() => 'done', (error) => error.message);
  const codes = await vm(async () => {
    const code = (promise) => promise.then(() => 'done', (error) => error.code);
    return Promise.all([
      code(vm.applyFsDiff({ create: { '../out': '' } })),
      code(vm.editor.setCurrentFile('none.py')),
      code(vm.editor.setTheme('pink')),
      code(vm.preview.setUrl('http://evil.example/')),
      code(vm.run(' ')),
      code(vm.terminal.write('x', 9999)),
    ]);
  });
  assert.deepEqual(codes, ['bad_path', 'not_found', 'bad_request', 'forbidden_target', 'bad_request', 'not_found']);
  assert.equal(await host.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Mine');
  assert.equal(await host.evaluate(() => scrollY), 0);

  // A frame that is loaded anew begins anew: its key comes by message once more.
  const before = (await events('ready')).length;
  await vm(() => { vm.frame.src = vm.frame.src; });
  await host.waitForFunction((before) => events.filter(([name]) => name === 'ready').length > before, before);
  assert.equal((await vm(() => vm.run('echo again'))).output, 'again\r\n');
  await vm(() => vm.destroy());
  assert.equal(await host.locator('iframe').count(), 0);
  assert.match(await refused(() => vm.run('ls')), /not there/);
});

scenario('a frame that waits for a click shows the code, and joins nothing until then', async (stage) => {
  const site = await stage.host({
    '/': scripted(
      stage,
      `EmbedEnv.embedProject('#at', { files: { 'hello.py': 'import sys\\n\\ndef hello(name):\\n    return f"Hello, {name}"\\n\\nprint(hello("you"))\\n' } },
         { join: '${keyOf(stage)}', loading: 'click', view: 'editor', height: 320 }).then((vm) => { globalThis.vm = vm; });`,
    ),
    '/dark': scripted(
      stage,
      `EmbedEnv.embedProject('#at', { files: { '<img src=x onerror=alert(1)>.py': '<script>alert(1)<\\/script>' } },
         { join: '${keyOf(stage)}', ctl: true, theme: 'dark', width: 360, height: 240 });`,
    ),
  });
  const sockets = [];
  const watch = (page) => page.on('websocket', (socket) => sockets.push(socket.url()));
  const host = await stage.visit(site.origin, { before: watch });
  const frame = frameOf(host);
  await frame.getByRole('region', { name: 'What hello.py says' }).locator('span').first().waitFor();
  await host.screenshot({ path: 'target/browser/embed-poster.png' });
  assert.deepEqual(sockets, [], 'nothing is joined');
  assert.equal(await host.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Mine');
  await frame.getByRole('button', { name: 'Run', exact: true }).click();
  await frame.getByRole('textbox', { name: 'Editor: hello.py' }).waitFor();
  await made(host, 'vm');
  assert.equal(sockets.length, 1);
  await frame.getByRole('region', { name: /^Terminal/ }).waitFor();
  await frame.getByText(/^Exited with 0|ended|Done/).first().waitFor();
  await host.screenshot({ path: 'target/browser/embed-poster-run.png' });

  const dark = await stage.visit(`${site.origin}/dark`, { before: watch });
  await frameOf(dark).getByText('<img src=x onerror=alert(1)>.py', { exact: true }).waitFor();
  await frameOf(dark).getByText('<script>alert(1)</script>').waitFor();
  await dark.screenshot({ path: 'target/browser/embed-poster-dark.png' });
  assert.equal(sockets.length, 1);
});

scenario('a lazy frame joins when it is seen, also without storage', async (stage) => {
  const site = await stage.host({
    '/': page(`<div style="height: 3000px"></div><embed-env id="far" join="${keyOf(stage)}" file="ask.py" loading="lazy" view="both" hideExplorer height="360"></embed-env>
      <script type="module">import EmbedEnv from '${originOf(stage)}/embed.mjs'; globalThis.api = EmbedEnv;</script>`),
  });
  const sockets = [];
  const host = await stage.visit(site.origin, {
    before: async (page) => {
      page.on('websocket', (socket) => sockets.push(socket.url()));
      // As a browser does that gives frames of other sites no storage.
      await page.addInitScript(() => {
        if (window === window.top) return;
        for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches']) {
          Object.defineProperty(window, name, { get: () => { throw new DOMException('denied', 'SecurityError'); } });
        }
        Object.defineProperty(Document.prototype, 'cookie', { get: () => { throw new DOMException('denied', 'SecurityError'); } });
      });
    },
  });
  await made(host, 'api');
  assert.equal(await host.evaluate(() => typeof api.embedProject), 'function');
  assert.deepEqual(sockets, []);
  await host.locator('#far').scrollIntoViewIfNeeded();
  const frame = frameOf(host);
  await frame.getByRole('textbox', { name: 'Editor: ask.py' }).waitFor();
  await host.evaluate(() => document.querySelector('#far').vm);
  assert.equal(sockets.length, 1);
  // What a person sets is kept for as long as the frame is there.
  await host.screenshot({ path: 'target/browser/embed-lazy.png' });
  // Without storage, too, a frame finds its room again.
  await frame.locator('body').evaluate(() => location.reload());
  await frame.getByRole('textbox', { name: 'Editor: ask.py' }).waitFor();
});

scenario(
  'with third-party cookies blocked and a profile that has nothing, a frame works',
  async (stage) => {
    const address = `${originOf(stage)}/embed?file=ask.py&view=terminal&run=echo+all+is+well#join=${keyOf(stage)}`;
    const site = await stage.host({ '/': page(`<iframe src="${address}" width="500" height="260"></iframe>`) });
    const host = await stage.visit(site.origin);
    const frame = frameOf(host);
    await frame.getByRole('region', { name: /^Terminal/ }).waitFor();
    await frame.getByText(/^Exited with 0/).first().waitFor();
    await host.screenshot({ path: 'target/browser/embed-narrow-terminal.png' });
    const cookies = await host.context().cookies();
    assert.deepEqual(cookies, []);
  },
  { args: ['--test-third-party-cookie-phaseout', '--block-third-party-cookies'] },
);

scenario('a frame of what is served shows the path that is asked for, and nothing around it', async (stage) => {
  const query = 'view=preview&run=python+-m+http.server+4568&initialpath=/?first&hideNavigation=1&theme=dark';
  const address = `${originOf(stage)}/embed?${query}#join=${keyOf(stage)}`;
  const site = await stage.host({ '/': page(`<iframe src="${address}" width="700" height="360"></iframe>`) });
  const host = await stage.visit(site.origin);
  const preview = frameOf(host).frameLocator('iframe');
  await preview.getByRole('link', { name: 'ask.py' }).waitFor();
  assert.equal(await preview.locator('body').evaluate(() => location.search), '?first');
  assert.equal(await frameOf(host).getByRole('textbox', { name: 'Address' }).count(), 0);
  await host.screenshot({ path: 'target/browser/embed-preview.png' });
});

scenario('without a port of its own, a preview begins with the first that listens, at the path that is asked for', async (stage) => {
  const ada = await stage.person();
  await ada.ready();
  for (const port of [4569, 8000]) await ada.answer(`python -m http.server ${port} 2>/dev/null &`);
  const ports = ada.page.getByRole('list', { name: 'Ports' });
  await ada.page.getByRole('tab', { name: 'Ports', exact: true }).click();
  for (const port of ['4569', '8000']) await ports.getByRole('listitem', { name: port }).waitFor();
  const at = (query) => `<iframe src="${originOf(stage)}/embed?${query}#join=${keyOf(stage)}" width="800" height="300"></iframe>`;
  const site = await stage.host({
    '/': page(`${at('view=preview&initialpath=/?first')}${at('file=ask.py&view=editor&initialpath=/?later')}${at('view=preview&port=8000&initialpath=/?own')}`),
  });
  const host = await stage.visit(site.origin, { viewport: { width: 1000, height: 1100 } });
  const address = (index) => host.frameLocator('iframe').nth(index).getByRole('textbox', { name: 'Address' });
  const shows = async (index, expected) => {
    await host.frameLocator('iframe').nth(index).frameLocator('iframe').getByRole('link', { name: 'ask.py' }).waitFor();
    assert.equal(await address(index).inputValue(), expected);
  };
  await shows(0, 'localhost:4569/?first');
  await shows(2, 'localhost:8000/?own');
  const second = host.frameLocator('iframe').nth(1);
  await second.getByRole('textbox', { name: 'Editor: ask.py' }).click();
  await host.keyboard.press('F1');
  await second.getByRole('combobox').fill('preview');
  await second.getByRole('option', { name: /^Preview/ }).first().click();
  await shows(1, 'localhost:4569/?later');
});

scenario('another project of the room is shown in a frame, by whatever way that came to it', async (stage) => {
  const ada = await stage.person();
  await ada.ready();
  await ada.run('mkdir -p ~/second; echo two > ~/second/two.txt');
  const framed = `<iframe src="${originOf(stage)}/embed?file=ask.py#join=${keyOf(stage)}" width="900" height="400"></iframe>`;
  const site = await stage.host({
    '/': page(framed),
    '/script': scripted(stage, `EmbedEnv.embedProject('#at', { files: { 'mine.py': '1' } }, { join: '${keyOf(stage)}' }).then((vm) => { globalThis.vm = vm; });`),
  });
  for (const [path, file] of [['/', 'ask.py'], ['/script', 'mine.py']]) {
    const host = await stage.visit(`${site.origin}${path}`);
    const frame = frameOf(host);
    await frame.getByRole('textbox', { name: `Editor: ${file}` }).click();
    await host.keyboard.press('F1');
    await frame.getByRole('combobox').fill('second');
    await frame.getByRole('option', { name: /second/ }).first().click();
    await frame.getByRole('treeitem', { name: 'two.txt' }).click();
    await frame.getByRole('textbox', { name: 'Editor: two.txt' }).getByText('two').waitFor();
    assert.equal(await frame.getByRole('treeitem', { name: file }).count(), 0);
    await host.close();
  }
});

scenario('a frame of few pixels is in one piece, in light and in dark', async (stage) => {
  const key = keyOf(stage);
  const at = (query) => `${originOf(stage)}/embed?${query}#join=${key}`;
  const frames = [
    ['file=ask.py&view=editor&theme=light', 320, 200],
    ['file=ask.py&run=echo+hello&theme=dark&terminalHeight=45', 560, 380],
    ['file=ask.py,web.py&file=README.md&theme=paper', 900, 360],
    ['file=ask.py&readonly=1&view=editor&theme=contrast-dark', 360, 240],
  ];
  const body = frames.map(([query, width, height]) => `<p><iframe src="${at(query)}" width="${width}" height="${height}"></iframe></p>`);
  const site = await stage.host({ '/': page(body.join('')) });
  const host = await stage.visit(site.origin, { viewport: { width: 1000, height: 1400 } });
  for (const [index, [query]] of frames.entries()) {
    const frame = host.frameLocator('iframe').nth(index);
    await frame.getByRole('textbox', { name: 'Editor: ask.py' }).waitFor();
    assert.ok(await frame.locator('body').evaluate(() => document.documentElement.scrollWidth <= innerWidth), query);
  }
  const first = host.frameLocator('iframe').nth(0);
  const readOnly = host.frameLocator('iframe').nth(3);
  await host.frameLocator('iframe').nth(1).getByText(/^Exited with 0/).first().waitFor();
  assert.equal(await readOnly.getByRole('button', { name: 'Run', exact: true }).count(), 0);
  assert.equal(await readOnly.getByRole('textbox', { name: 'Editor: ask.py' }).getAttribute('aria-readonly'), 'true');
  assert.equal(await host.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Mine');
  await host.screenshot({ path: 'target/browser/embed-sizes.png' });
  // The files come over the editor where there is no room beside it.
  await first.getByRole('button', { name: 'Files' }).click();
  await first.getByRole('treeitem', { name: 'web.py' }).click();
  await first.getByRole('textbox', { name: 'Editor: web.py' }).waitFor();
  await first.getByRole('tree', { name: 'Files' }).waitFor({ state: 'hidden' });
  await host.screenshot({ path: 'target/browser/embed-sizes-files.png' });
});

/** The site that the server's settings name. */
let listed;

scenario(
  'a site that is not listed frames nothing, and the script says so; one that is listed does',
  async (stage) => {
    stage.expect(/frame-ancestors|Framing|embed-env|ERR_BLOCKED_BY_RESPONSE/);
    const host = await stage.visit(listed.origin.replace('host.', 'other.'), { before: (page) => page.clock.install() });
    await host.locator('iframe').waitFor();
    await host.waitForFunction(() => Boolean(document.querySelector('embed-env').vm));
    const code = host.evaluate(() => document.querySelector('embed-env').vm.catch((error) => error.code));
    await host.waitForLoadState('load');
    await host.clock.fastForward(30_000);
    assert.equal(await code, 'no_answer');
    const allowed = await stage.visit(listed.origin);
    await frameOf(allowed).getByRole('textbox', { name: 'Editor: ask.py' }).waitFor();
    // The page of its own is for nobody's frame.
    const own = await stage.host({ '/': page(`<iframe src="${stage.server.link}"></iframe>`) });
    const refused = await stage.visit(own.origin);
    await refused.waitForLoadState('load');
    assert.equal(await refused.frames()[1].locator('#app').count(), 0);
  },
  {
    env: async (stage) => {
      const element = () => `<embed-env join="${keyOf(stage)}" file="ask.py" height="300"></embed-env><script src="${originOf(stage)}/embed.js"></script>`;
      listed = await stage.host({ '/': () => page(element()) });
      return { EMBEDENV_EMBED__ORIGINS: listed.origin };
    },
  },
);

/** The names by which an object of JavaScript is reached that is none of the message's. */
const PROTOTYPES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];

scenario('a widget looks as its owner has chosen, whatever the address says beside', async (stage) => {
  const pages = {};
  const site = await stage.host(pages);
  const { widget } = await stage.server.widget(site.origin, '--look', 'theme=dark&view=split&hideExplorer=1');
  const address = `${originOf(stage)}/embed/${widget}?theme=light&view=editor&fontsize=18`;
  pages['/'] = page(`<iframe src="${address}" width="900" height="420"></iframe>`);
  const host = await stage.visit(site.origin, { colorScheme: 'light' });
  const frame = frameOf(host);
  await frame.locator('.ide[data-view="split"][data-side-folded]').waitFor();
  assert.equal(await frame.locator('html').getAttribute('data-theme'), 'dark');
  await host.screenshot({ path: 'target/browser/embed-widget-look.png' });
});

scenario('forged messages do nothing', async (stage) => {
  const key = keyOf(stage);
  const site = await stage.host({
    '/': (origin) => scripted(
      stage,
      `globalThis.errors = [];
       EmbedEnv.embedProject('#at', { files: { 'mine.py': 'x = 1\\n' } }, { join: '${key}', view: 'editor' }).then((vm) => {
         vm.on('error', (event) => errors.push(event));
         globalThis.vm = vm;
       });`,
      `<div id="at"></div><iframe src="${origin.replace('host.', 'evil.')}/evil"></iframe>`,
    ),
    '/evil': '<!doctype html><title>evil</title>',
  });
  const host = await stage.visit(site.origin);
  await made(host, 'vm');
  const [server] = [originOf(stage)];
  const frame = host.frames().find((it) => it.url().startsWith(`${server}/embed`));
  const evil = host.frames().find((it) => it.url().includes('evil.localhost'));
  const files = () => host.evaluate(() => vm.getFsSnapshot());
  const before = await files();
  const nonce = await host.evaluate(() => new URLSearchParams(new URL(vm.frame.src).hash.slice(1)).get('nonce'));

  // From the page around itself, which the frame has shaken hands with already; and from a frame that it has not.
  const forged = (nonce, names) => {
    const asks = ['run', 'fs.apply', 'terminal.write', 'editor.open'];
    const args = { command: 'touch forged', create: { forged: '' }, text: 'touch forged\r', files: ['forged'] };
    const messages = [];
    for (const method of asks) {
      messages.push({ id: 1, method, args }, JSON.stringify({ id: 1, method, args }), { embedenv: 'ask', nonce, id: 1, method, args });
      messages.push({ embedenv: 'port', nonce, hello: JSON.stringify({ link: 'join=forged', files: { forged: '' } }) });
    }
    for (const name of names) {
      messages.push(JSON.parse(`{"${name}": {"embedenv": "port", "nonce": "${nonce}"}}`));
      messages.push(JSON.parse(`{"embedenv": "port", "nonce": {"${name}": "${nonce}"}}`));
    }
    messages.push(null, undefined, 0, -1, '', [], [nonce], {}, { nonce }, { embedenv: 'port' }, { embedenv: 'hello', nonce });
    messages.push({ embedenv: 'port', nonce: `${nonce}0`, hello: '{}' }, { embedenv: 'port', nonce: [nonce] }, new Date(), /x/, new Map([['nonce', nonce]]));
    messages.push('x'.repeat(20_000_000), { embedenv: 'port', nonce, hello: 'x'.repeat(9_000_000) }, new ArrayBuffer(8), nonce, true);
    return messages;
  };
  const send = ({ nonce, names, forged, at }) => {
    const messages = new Function(`return ${forged}`)()(nonce, names);
    const target = at === 'frame' ? (globalThis.vm?.frame.contentWindow ?? parent.frames[0]) : parent;
    let sent = 0;
    for (const message of messages) {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => { globalThis.answered = true; };
      port1.postMessage(JSON.stringify({ id: 1, method: 'fs.apply', args: { create: { forged: '' } } }));
      target.postMessage(message, '*', [port2]);
      sent += 1;
    }
    return sent;
  };
  const told = { nonce, names: PROTOTYPES, forged: `${forged}` };
  // Wrong source: another frame of the page. Wrong origin and source: that frame to the page around. Second handshake: the page.
  let sent = await evil.evaluate(send, { ...told, at: 'frame' });
  sent += await evil.evaluate(send, { ...told, at: 'host' });
  sent += await host.evaluate(send, { ...told, at: 'frame' });
  assert.ok(sent >= 120, `${sent} messages`);

  // The port of the handshake takes what is no question and answers what is no row of the table, and nothing else happens.
  assert.equal((await host.evaluate(() => vm.run('echo still here'))).output, 'still here\r\n');
  assert.deepEqual(await files(), before);
  assert.equal(await host.evaluate(() => globalThis.answered), undefined);
  assert.equal(await evil.evaluate(() => globalThis.answered), undefined);
  assert.deepEqual(await host.evaluate(() => errors), []);
  assert.equal(await frame.evaluate(() => ({}).nonce ?? ({}).embedenv), undefined);
  assert.equal(await host.evaluate(() => ({}).nonce ?? ({}).embedenv), undefined);
});
