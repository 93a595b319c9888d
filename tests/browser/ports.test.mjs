// What listens in the sandbox, and the form with which a person asks it.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

const server = `import http.server, json, time
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
    def do_GET(self):
        if self.path == "/big":
            self.answer(200, "application/json", json.dumps([{"number": n, "text": "x" * 20} for n in range(60000)]).encode())
        elif self.path == "/image":
            self.answer(200, "image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40"><rect width="60" height="40" fill="teal"/></svg>')
        elif self.path == "/bytes":
            self.answer(200, "application/octet-stream", bytes(range(256)))
        elif self.path == "/slow":
            time.sleep(60)
        else:
            self.answer(404, "text/html", b"<h1>Nothing here</h1>")
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = {"b": json.loads(body), "a": 1.50, "kind": self.headers["Content-Type"], "mine": self.headers["X-Mine"], "empty": {}}
        self.answer(201, "application/json", json.dumps(said).encode())
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", 4321), Handler).serve_forever()
`;

async function serve(ide) {
  const encoded = Buffer.from(server).toString('base64');
  await ide.answer(`echo ${encoded} | base64 -d > server.py; python server.py`);
}

scenario('a port that is new is told once, listed with its program, and opened', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.page.getByRole('tab', { name: 'Ports', exact: true }).click();
  const ports = ide.page.getByRole('region', { name: 'Ports' });
  await ports.getByText('Nothing listens in the sandbox.').waitFor();
  await ide.page.getByRole('tab', { name: 'Terminals', exact: true }).click();
  await serve(ide);
  const notice = ide.page.getByRole('status', { name: 'New port' });
  await notice.filter({ hasText: /python\S* listens on port 4321/ }).waitFor();
  await ide.page.screenshot({ path: 'target/browser/new-port.png' });
  await ide.page.getByRole('tab', { name: 'Ports', exact: true }).click();
  const row = ports.getByRole('row').filter({ hasText: '4321' });
  await row.filter({ hasText: /python.*pid \d+/ }).waitFor();
  await row.getByRole('button', { name: 'Copy address of port 4321' }).click();
  assert.equal(await ide.page.evaluate(() => navigator.clipboard.readText()), 'http://localhost:4321/');
  await ide.page.screenshot({ path: 'target/browser/ports.png' });
  await notice.getByRole('button', { name: 'Dismiss port' }).click();
  await notice.getByText(/./).waitFor({ state: 'detached' });

  await ide.page.reload();
  await ide.connected();
  await ide.page.getByRole('list', { name: 'Ports' }).getByRole('listitem', { name: '4321' }).waitFor();
  assert.equal(await notice.getByRole('button').count(), 0, 'it is told once');
  await ports.getByRole('button', { name: 'Open port 4321' }).click();
  const preview = ide.page.getByRole('region', { name: 'Preview' });
  assert.match(await preview.getByRole('textbox', { name: 'Address' }).inputValue(), /^localhost:4321\//);
  await preview.getByRole('button', { name: 'Request', exact: true }).click();
  assert.equal(await preview.getByRole('textbox', { name: 'Port' }).inputValue(), '4321');
});

scenario('a request is made up, sent by keys, and its answer is laid out', async (stage) => {
  const ide = await stage.person({ colorScheme: 'dark' });
  await ide.ready();
  await serve(ide);
  const preview = ide.page.getByRole('region', { name: 'Preview' });
  await ide.page.getByRole('status', { name: 'New port' }).getByRole('button', { name: 'Open', exact: true }).click();
  await preview.getByRole('button', { name: 'Request', exact: true }).click();
  const form = preview.getByRole('form', { name: 'Request' });
  const field = (name) => form.getByRole('textbox', { name, exact: true });
  const body = preview.getByRole('region', { name: 'Body' });

  await form.getByRole('combobox', { name: 'Body' }).selectOption('JSON');
  assert.equal(await form.getByRole('combobox', { name: 'Method' }).inputValue(), 'POST');
  await form.getByRole('button', { name: 'Add header' }).click();
  await form.getByRole('combobox', { name: 'Header 1' }).fill('X-Mine');
  await field('Value of header 1').fill('yes');
  await field('Request body').fill('{"x": [1, 2}');
  await form.getByText(/^Not JSON, line 1: /).waitFor();
  await field('Request body').fill('{"x": [1, 2]}');
  await ide.page.keyboard.press('Control+Enter');
  await preview.getByText(/^201 Created/).waitFor();
  await preview.getByText(/[\d.]+ (ms|s), \d+ bytes$/).waitFor();
  await body.getByText('"application/json"').waitFor();
  const text = await body.textContent();
  assert.match(text, /^\{\n {2}"b": \{\n {4}"x": \[\n {6}1,\n {6}2\n {4}\]\n {2}\},\n {2}"a": 1\.5,\n/);
  assert.match(text, /"mine": "yes"/);
  await ide.page.screenshot({ path: 'target/browser/request.png' });
  await preview.getByText(/^\d+ headers$/).click();
  await preview.getByRole('rowheader', { name: 'content-type' }).waitFor();
  await form.getByRole('button', { name: 'Copy as curl' }).click();
  assert.equal(
    await ide.page.evaluate(() => navigator.clipboard.readText()),
    `curl -i -X POST -H 'X-Mine: yes' -H 'Content-Type: application/json' --data-raw '{"x": [1, 2]}' 'http://localhost:4321/'`,
  );

  const get = async (path) => {
    await form.getByRole('combobox', { name: 'Method' }).selectOption('GET');
    await form.getByRole('combobox', { name: 'Body' }).selectOption('No body');
    await field('Path').fill(path);
    await field('Path').press('Control+Enter');
  };
  await get('/none');
  await preview.getByText(/^404 Not Found/).waitFor();
  await body.getByText('<h1>Nothing here</h1>').waitFor();
  await get('/bytes');
  await body.getByText(/^000000 {2}00 01 02 03/).waitFor();
  await get('/image');
  await body.getByRole('img').waitFor();
  await get('/big');
  await preview.getByText(/^200 OK/).waitFor();
  await body.getByText(/"number": 0|"number":0/).first().waitFor();

  await ide.fillAndEnter(field('Path'), '/none?at-once');
  await preview.getByText(/^404 Not Found/).waitFor();
  await form.getByRole('combobox', { name: 'Earlier requests' }).getByRole('option', { name: 'GET :4321/none?at-once' }).waitFor({ state: 'attached' });
  await get('/slow');
  await form.getByRole('button', { name: 'Cancel' }).click();
  await form.getByRole('button', { name: 'Send' }).waitFor();
  await field('Port').fill('70000');
  await form.getByText('A port is a number from 1 to 65535.').waitFor();
  assert.ok(await form.getByRole('button', { name: 'Send' }).isDisabled());

  // Those of before come back, also after a reload.
  await ide.page.reload();
  await ide.connected();
  await preview.getByRole('button', { name: 'Request', exact: true }).click();
  await form.getByRole('combobox', { name: 'Earlier requests' }).selectOption({ label: 'POST :4321/' });
  assert.equal(await field('Request body').inputValue(), '{"x": [1, 2]}');
});

/** Whether nothing of the pane is wider than the pane. */
const fits = (pane) => pane.evaluate((element) => element.scrollWidth <= element.clientWidth);

scenario('the form works in a narrow pane and on a phone', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await serve(ide);
  const preview = ide.page.getByRole('region', { name: 'Preview' });
  await ide.page.getByRole('status', { name: 'New port' }).getByRole('button', { name: 'Open', exact: true }).click();
  await preview.getByRole('button', { name: 'Request', exact: true }).click();
  await ide.page.getByRole('separator', { name: 'Width of the pane at the right' }).focus();
  await ide.page.keyboard.press('Home');
  await preview.getByRole('button', { name: 'Add header' }).click();
  await preview.getByRole('combobox', { name: 'Body' }).selectOption('JSON');
  await preview.getByRole('textbox', { name: 'Request body' }).fill('[]');
  await preview.getByRole('button', { name: 'Send' }).click();
  await preview.getByText(/^201 Created/).waitFor();
  await ide.page.screenshot({ path: 'target/browser/request-narrow.png' });
  assert.equal((await preview.boundingBox()).width, 240);
  assert.ok(await fits(preview));

  const phone = await stage.person({
    link: await ide.share('editor'),
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
    colorScheme: 'dark',
  });
  await phone.connected();
  await phone.button('Run configurations').tap();
  await phone.page.getByRole('menuitem', { name: 'Edit configurations…' }).waitFor();
  await phone.page.screenshot({ path: 'target/browser/run-menu-phone.png' });
  await phone.page.getByRole('menuitem', { name: 'Edit configurations…' }).tap();
  await phone.dialog('Run configurations').getByRole('button', { name: 'New', exact: true }).tap();
  await phone.page.screenshot({ path: 'target/browser/run-dialog-phone.png' });
  await phone.page.keyboard.press('Escape');
  await phone.button('Terminal').tap();
  await phone.page.screenshot({ path: 'target/browser/panel-phone.png' });
  await phone.page.getByRole('tab', { name: 'Output', exact: true }).tap();
  await phone.page.getByRole('region', { name: 'Output' }).getByText('Nothing has run here yet.').waitFor();
  await phone.page.screenshot({ path: 'target/browser/output-phone.png' });
  await phone.page.getByRole('tab', { name: 'Ports', exact: true }).tap();
  await phone.page.screenshot({ path: 'target/browser/ports-phone.png' });
  await phone.button('Open port 4321').tap();
  const pane = phone.page.getByRole('region', { name: 'Preview' });
  await pane.getByRole('textbox', { name: 'Address' }).waitFor();
  assert.ok(await fits(pane));
  await phone.page.screenshot({ path: 'target/browser/preview-phone.png' });
  await pane.getByRole('button', { name: 'Request', exact: true }).tap();
  await pane.getByRole('textbox', { name: 'Path' }).fill('none');
  await pane.getByRole('button', { name: 'Send' }).tap();
  await pane.getByText(/^404 Not Found/).waitFor();
  await phone.page.screenshot({ path: 'target/browser/request-phone.png' });
  assert.ok(await fits(pane));
});
