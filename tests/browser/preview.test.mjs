// The pane that shows what programs serve: the page, where it is, what it says, and who else may see it. And what a hostile
// page can't do from there.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

const app = `import http.server, json
pages = {
    "/": """<!doctype html><title>One</title><h1>First page</h1><a href="/two?x=1">on</a>
<button onclick="console.warn('clicked', {a: 1}); throw new Error('broken')">break</button>
<button onclick="history.pushState(null, '', '/pushed#here')">push</button><input aria-label="in the app">""",
    "/two": "<!doctype html><title>Two</title><h1>Second page</h1>",
    "/shared": """<!doctype html><link rel="stylesheet" href="/style.css"><h1>Shared</h1><a href="/two?x=1">on</a><pre></pre><script>
const tried = (what, act) => { try { return what + ': ' + act(); } catch { return what + ': refused'; } };
fetch('/two').then((answer) => answer.text()).then((text) => {
  const color = getComputedStyle(document.querySelector('h1')).color;
  document.querySelector('pre').textContent = [
    tried('storage', () => localStorage.length), tried('cookie', () => document.cookie || 'none'),
    tried('page', () => parent.document.title), 'origin: ' + self.origin, 'fetched: ' + text.includes('Second'), 'color: ' + color,
  ].join('\\\\n');
  console.log('all said');
});
</script>""",
    "/style.css": "h1 { color: rgb(1, 2, 3) }",
    "/hostile": """<!doctype html><h1>Hostile</h1><pre id="said"></pre><script>
const said = [];
const tried = async (what, act) => { try { said.push(what + ': ' + await act()); } catch (error) { said.push(what + ': refused'); } };
(async () => {
  await tried('document', () => parent.document.title);
  await tried('storage', () => parent.localStorage.length);
  await tried('key', () => parent.location.href);
  await tried('top', () => { top.location = 'about:blank'; return 'moved'; });
  await tried('api', async () => (await fetch(IDE + '/healthz')).status);
  await tried('socket', () => new Promise((opened, failed) => {
    const socket = new WebSocket(IDE.replace('http', 'ws') + '/ws/docs/p/x?token=x');
    socket.onopen = () => opened('open'); socket.onerror = failed;
  }));
  await tried('worker', async () => { await navigator.serviceWorker.register('/worker.js', { scope: IDE + '/' }); return 'registered'; });
  await tried('cookie', () => document.cookie || 'none');
  for (const data of ['embedenv-preview', { type: 'place', url: 'http://evil.example/' }, null, 7]) parent.postMessage(data, '*');
  document.getElementById('said').textContent = said.join('\\\\n');
})();
</script>""",
}
class App(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.split("?")[0]
        host = self.headers["Host"].split(".", 1)[-1]
        body = pages.get(path, "").replace("IDE", json.dumps("http://" + host)).encode()
        self.send_response(200 if path in pages else 404)
        kinds = {".js": "text/javascript", ".css": "text/css"}
        self.send_header("Content-Type", next((kinds[end] for end in kinds if path.endswith(end)), "text/html"))
        self.send_header("X-Frame-Options", "DENY")
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", 4321), App).serve_forever()
`;

async function serve(ide) {
  await ide.write({ 'app.py': app });
  await ide.answer('python app.py');
}

async function shown(ide) {
  await ide.ready();
  await serve(ide);
  await ide.page.getByRole('status', { name: 'New port' }).getByRole('button', { name: 'Open', exact: true }).click();
  const preview = ide.page.getByRole('region', { name: 'Preview' });
  const page = preview.frameLocator('iframe');
  await page.getByRole('heading', { name: 'First page' }).waitFor();
  return { preview, page, address: preview.getByRole('textbox', { name: 'Address' }) };
}

/** Waits until the bar says where the page is. */
const isAt = (address, text) =>
  address.evaluate(
    (input, text) =>
      new Promise((done) => {
        const look = () => (input.value === text ? done() : requestAnimationFrame(look));
        look();
      }),
    text,
  );

scenario('a page that a program serves is shown, followed, gone through and heard', async (stage) => {
  const ide = await stage.person();
  const { preview, page, address } = await shown(ide);
  await isAt(address, 'localhost:4321/');
  await page.getByRole('link', { name: 'on' }).click();
  await page.getByRole('heading', { name: 'Second page' }).waitFor();
  await isAt(address, 'localhost:4321/two?x=1');
  await preview.getByRole('button', { name: 'Back' }).click();
  await page.getByRole('heading', { name: 'First page' }).waitFor();
  await isAt(address, 'localhost:4321/');
  await page.getByRole('button', { name: 'push' }).click();
  await isAt(address, 'localhost:4321/pushed#here');
  await address.fill('/two');
  await address.press('Enter');
  await page.getByRole('heading', { name: 'Second page' }).waitFor();
  await address.fill('localhost:x/');
  assert.equal(await address.getAttribute('aria-invalid'), 'true');
  await address.fill('4321');
  await address.press('Enter');
  await page.getByRole('button', { name: 'break' }).click();
  const head = preview.getByRole('button', { name: 'Console, 1 error' });
  await head.click();
  const lines = preview.getByRole('log', { name: 'Console' });
  await lines.getByText('clicked {"a":1}').waitFor();
  await lines.getByText(/Error: broken/).waitFor();
  await ide.page.screenshot({ path: 'target/browser/preview-console.png' });
  await preview.getByRole('button', { name: 'Clear' }).click();
  await lines.getByText('The page has said nothing yet.').waitFor();
  await preview.getByRole('combobox', { name: 'Size of the page' }).selectOption('phone');
  assert.deepEqual(await preview.locator('iframe').evaluate((frame) => [frame.offsetWidth, frame.offsetHeight]), [390, 844]);
  await ide.page.screenshot({ path: 'target/browser/preview-device.png' });

  const tab = ide.page.context().waitForEvent('page');
  await preview.getByRole('button', { name: 'Open in a new tab' }).click();
  await (await tab).getByRole('heading', { name: 'First page' }).waitFor();
  assert.ok(!(await tab).url().includes('ticket'), 'the way in is out of the address');
});

scenario('a port is shared by a link with a code, which is revoked', async (stage) => {
  const ide = await stage.person();
  const { preview } = await shown(ide);
  await preview.getByRole('button', { name: 'Share this port' }).click();
  const dialog = ide.dialog('Share port');
  await dialog.getByRole('button', { name: 'Create link' }).click();
  const link = dialog.getByRole('textbox', { name: 'Link' });
  await link.waitFor();
  await dialog.getByRole('img', { name: 'The link as a QR code' }).waitFor();
  await ide.page.screenshot({ path: 'target/browser/share-port.png' });
  const address = await link.inputValue();
  const guest = await stage.blankPage();
  await guest.goto(address);
  await guest.getByRole('heading', { name: 'First page' }).waitFor();
  await dialog.getByRole('list', { name: 'Links to this port' }).getByRole('button', { name: 'Revoke link' }).click();
  await dialog.getByText(/^Link \d+ by/).waitFor({ state: 'detached' });
  await guest.reload();
  await guest.getByRole('heading', { name: 'This preview is private' }).waitFor();
  await guest.screenshot({ path: 'target/browser/preview-private.png' });
});

scenario('a page that is not served yet comes by itself', async (stage) => {
  const ide = await stage.person();
  const { preview, page } = await shown(ide);
  await ide.clickTerminal();
  await ide.page.keyboard.press('Control+c');
  await ide.page.getByRole('list', { name: 'Ports' }).getByRole('listitem').waitFor({ state: 'detached' });
  await preview.getByRole('button', { name: 'Reload' }).click();
  await page.getByRole('heading', { name: 'Waiting for port 4321' }).waitFor();
  await ide.page.screenshot({ path: 'target/browser/preview-waiting.png' });
  await ide.clickTerminal();
  await ide.answer('python app.py');
  await page.getByRole('heading', { name: 'First page' }).waitFor();
});

scenario('a hostile page reaches neither the page around it, nor its keys, nor the server', async (stage) => {
  const ide = await stage.person();
  const { page, address } = await shown(ide);
  await address.fill('/hostile');
  await address.press('Enter');
  const said = page.locator('#said');
  await said.getByText('cookie').waitFor();
  assert.deepEqual((await said.textContent()).split('\n'), [
    'document: refused',
    'storage: refused',
    'key: refused',
    'top: refused',
    'api: refused',
    'socket: refused',
    'worker: refused',
    'cookie: none',
  ]);
  await isAt(address, 'localhost:4321/hostile');
  // It tried, and its browser was told no.
  const own = `localhost:${new URL(stage.server.link).port}`;
  assert.deepEqual(stage.troubles.splice(0), [
    `a request to http://${own}/healthz`,
    `in the console: Failed to load resource: net::ERR_FAILED (http://${own}/healthz:0:0)`,
    `a socket to ws://${own}/ws/docs/p/x?token=x`,
  ]);
  assert.ok(await ide.button('Run').isVisible());
});

scenario(
  'where there is no wildcard name, previews are below paths, and share nothing',
  async (stage) => {
    const ide = await stage.person();
    const { preview, page, address } = await shown(ide);
    await isAt(address, 'localhost:4321/');
    await address.fill('/shared');
    await address.press('Enter');
    await page.getByText('fetched: true').waitFor();
    assert.deepEqual((await page.locator('pre').innerText()).split('\n'), [
      'storage: refused',
      'cookie: refused',
      'page: refused',
      'origin: null',
      'fetched: true',
      'color: rgb(1, 2, 3)',
    ]);
    await isAt(address, 'localhost:4321/shared');
    await preview.getByRole('button', { name: /^Console/ }).click();
    await preview.getByRole('log', { name: 'Console' }).getByText('all said').waitFor();
    await ide.page.screenshot({ path: 'target/browser/preview-path.png' });
    await page.getByRole('link', { name: 'on' }).click();
    await page.getByRole('heading', { name: 'Second page' }).waitFor();
    await isAt(address, 'localhost:4321/two?x=1');
    await preview.getByRole('button', { name: 'Back' }).click();
    await page.getByRole('heading', { name: 'Shared' }).waitFor();
    // In a tab of its own the app shares no more than in a frame.
    const tab = ide.page.context().waitForEvent('page');
    await preview.getByRole('button', { name: 'Open in a new tab' }).click();
    await (await tab).getByText('origin: null').waitFor();
    assert.match((await tab).url(), /^http:\/\/localhost:\d+\/4321-[a-z0-9]{16}~[\w.-]+\/shared$/);
  },
  { env: () => ({ EMBEDENV_PREVIEW__LISTEN: '127.0.0.1:0' }) },
);
