// The public pages, as somebody sees them who has never heard of this: the first page's program runs, the documentation is
// searched, a step of the wire shows its frames, a template opens and runs; and all of them can be used by everybody.

import assert from 'node:assert/strict';
import { findings } from './axe.mjs';
import { Ide } from './ide.mjs';
import { scenario } from './scenario.mjs';

const PAGES = { landing: '/', docs: '/docs', protocol: '/docs/protocol', steps: '/docs/steps', playground: '/playground' };
const WIDTHS = { wide: { width: 1440, height: 900 }, tablet: { width: 820, height: 1180 }, phone: { width: 390, height: 844 } };

const originOf = (stage) => new URL(stage.server.link).origin;

scenario('the first page runs a program that was just changed, asks what it asks, and opens in the IDE', async (stage) => {
  const sockets = [];
  const page = await stage.visit(originOf(stage), { before: (page) => page.on('websocket', (socket) => sockets.push(socket.url())) });
  const editor = page.getByRole('textbox', { name: 'Program: hello.py' });
  await editor.click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('print(f"{6 * 7} is mine")');
  assert.deepEqual(sockets, [], 'to look and to type opens nothing');

  await page.keyboard.press('Control+Enter');
  const output = page.getByRole('log', { name: 'Output' });
  await output.getByText('Who is there?').waitFor();
  await page.getByRole('textbox', { name: 'A line for the program' }).fill('Ada');
  await page.keyboard.press('Enter');
  await output.getByText('***** Ada').waitFor();
  await output.getByText('42 is mine').waitFor();
  await page.getByRole('status').filter({ hasText: /^Ended/ }).waitFor();

  // Another program, in the same room; it is stopped while it runs.
  await page.getByRole('tab', { name: 'machine.sh' }).click();
  const shell = page.getByRole('textbox', { name: 'Program: machine.sh' });
  await shell.click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('ls; sleep 600');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await output.getByText('hello.py').waitFor();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.getByRole('button', { name: 'Run', exact: true }).waitFor();
  assert.equal(sockets.length, 1, 'one room, and one connection');

  const [opened] = await Promise.all([page.waitForEvent('popup'), page.getByRole('link', { name: 'Open it in the IDE' }).click()]);
  await new Ide(opened).entry('hello.py').waitFor();
});

scenario('where no widget is set the pages are whole, and say what their operator does', async (stage) => {
  const before = (page) =>
    page.route('**/*', async (route) => {
      if (route.request().resourceType() !== 'document') return route.continue();
      const response = await route.fetch();
      return route.fulfill({ response, body: (await response.text()).replace(/data-widget="[^"]+"/, 'data-widget=""') });
    });
  const page = await stage.visit(originOf(stage), { before });
  await page.getByRole('heading', { name: 'Nothing runs here yet' }).waitFor();
  await page.getByText(`--origin ${originOf(stage)}`).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Run', exact: true }).count(), 0);
  assert.deepEqual(await findings(page, 'first page'), []);
  await page.screenshot({ path: 'target/browser/site-landing-without.png' });

  await page.goto(`${originOf(stage)}/playground`);
  await page.getByText('Nothing runs here yet.').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Python', exact: true }).isDisabled());
  assert.deepEqual(await findings(page, 'playground'), []);
  await page.screenshot({ path: 'target/browser/site-playground-without.png' });

  await page.goto(`${originOf(stage)}/docs/steps`);
  await page.getByRole('link', { name: 'Its operator can set one' }).click();
  await page.waitForURL('**/docs/operating#the-public-pages');
});

scenario('a widget that opens nothing is told as such', async (stage) => {
  const page = await stage.visit(originOf(stage));
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('status').filter({ hasText: 'no widget that is good' }).waitFor();
}, { env: () => ({ EMBEDENV_SITE__WIDGET: 'w_gone' }) });

scenario('the documentation is searched by the keyboard, and what is found is shown', async (stage) => {
  const page = await stage.visit(`${originOf(stage)}/docs`, { viewport: WIDTHS.wide });
  await page.getByRole('navigation', { name: 'Documentation' }).getByRole('link', { name: 'Protocol' }).click();
  await page.getByRole('heading', { level: 1, name: 'Protocol' }).waitFor();
  await page.keyboard.press('/');
  await page.getByRole('searchbox', { name: 'Search' }).fill('preview wildcard');
  const found = page.getByRole('list', { name: 'Found' }).getByRole('link');
  await found.filter({ hasText: 'Without a wildcard name' }).first().waitFor();
  await page.getByRole('searchbox', { name: 'Search' }).fill('nothing has these wordz');
  await page.getByText('Nothing has all of these words.').waitFor();
  await page.getByRole('searchbox', { name: 'Search' }).fill('without a wildcard name');
  await found.first().filter({ hasText: 'Without a wildcard name' }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/docs/previews#without-a-wildcard-name');
  await page.getByRole('heading', { name: 'Without a wildcard name' }).waitFor();
  await page.getByRole('link', { name: /^Next/ }).click();
  await page.waitForURL('**/docs/accessibility');
});

scenario('a step of the wire runs with those before it, and shows what flies both ways', async (stage) => {
  const page = await stage.visit(`${originOf(stage)}/docs/steps`, { viewport: WIDTHS.wide });
  await page.getByRole('button', { name: /^Run step 7\./ }).click();
  const frames = (step) => page.getByRole('list', { name: new RegExp(`^Frames of step ${step}\\.`) });
  await frames(1).getByText('"visited"').waitFor();
  await frames(2).getByText('project created').waitFor();
  await frames(7).getByText('Root File Loaded Successfully').waitFor();
  await frames(7).getByText('"terminal-data-end"').waitFor();
  assert.equal(await frames(7).getByText('sent', { exact: true }).count(), 1);
  assert.equal(await frames(8).count(), 0, 'what comes after it has not run');

  await page.getByRole('button', { name: 'Run all fourteen' }).click();
  await page.getByText('All of it has run.').waitFor();
  await frames(10).getByText('CloudIDEEngineAdminUserPassed').nth(1).waitFor();
  await frames(12).getByText('"end"').waitFor();
  await frames(14).getByText(/main\.py/).waitFor();

  // The room is kept: after a reload the steps begin anew in it.
  await page.reload();
  await page.getByRole('button', { name: /^Run step 4\./ }).click();
  await frames(1).getByText('"joined"').waitFor();
  await page.getByText(/^Next is step 5/).waitFor();
  assert.equal(await page.getByText('"error"').count(), 0);
});

scenario('a template opens in a room of the visitor’s own and runs, and what its room lacks is said before', async (stage) => {
  const page = await stage.visit(`${originOf(stage)}/playground`, { viewport: WIDTHS.wide });
  const vite = page.getByRole('listitem').filter({ has: page.getByRole('button', { name: 'Vite', exact: true }) });
  await vite.getByRole('button').click();
  await vite.getByText(/The sandboxes of this server lack .*a way to npm's registry/).waitFor();
  assert.match(await vite.getByRole('link', { name: 'Open it all the same' }).getAttribute('href'), /\/w#join=.*project=vite/);

  await page.getByRole('button', { name: 'Bash', exact: true }).click();
  const ide = new Ide(page);
  await ide.editor('words.sh').getByText('The most frequent words of a file.').waitFor();
  await ide.entry('poem.txt').waitFor();
  await ide.button('Run configurations').click();
  await page.getByRole('menuitemradio', { name: 'run', exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('F5');
  await page.getByText(/^Exited with 0 after/).waitFor();

  // What was made of it is still there when it is chosen again.
  await ide.newFile('mine.txt');
  await page.goto(`${originOf(stage)}/playground`);
  await page.getByRole('button', { name: 'Bash', exact: true }).click();
  await ide.entry('mine.txt').waitFor();
});

for (const colorScheme of ['light', 'dark']) {
  scenario(`every public page can be used by everybody and at every width, ${colorScheme}`, async (stage) => {
    const found = [];
    for (const [name, path] of Object.entries(PAGES)) {
      for (const [width, viewport] of Object.entries(WIDTHS)) {
        const page = await stage.visit(originOf(stage) + path, { viewport, colorScheme, reducedMotion: 'reduce' });
        await page.getByRole('heading', { level: 1 }).waitFor();
        if (name === 'landing') await page.getByRole('textbox', { name: 'Program: hello.py' }).waitFor();
        const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(beyond <= 0, `${name}, ${width}: ${beyond} pixels are beside the page`);
        found.push(...(await findings(page, `${name}, ${width}, ${colorScheme}`)));
        await page.screenshot({ path: `target/browser/site-${name}-${width}-${colorScheme}.png` });
        await page.context().close();
      }
    }
    assert.deepEqual(found, []);
  });
}
