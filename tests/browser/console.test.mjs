// The console: from a sign-up to a page that shows a workspace, what an operator does, and how it looks on a phone.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { findings } from './axe.mjs';
import { Mailbox } from './mailbox.mjs';
import { scenario } from './scenario.mjs';

const PASSWORD = 'a long password';
/** How long what a webhook hears may take to be seen. */
const LOOKED = 15_000;

/** A server whose mail goes to `stage.mailbox`. */
const env = async (stage) => {
  stage.mailbox = await Mailbox.start();
  return { EMBEDENV_ACCOUNTS__SIGN_UP: 'open', EMBEDENV_MAIL__SMTP: stage.mailbox.url };
};

const at = (stage, path) => new URL(path, stage.server.link).href;

/** What the next mail's link is. */
async function mailedLink(stage) {
  const mail = await stage.mailbox.next();
  return /http\S+\/console#\S+/.exec(mail)[0];
}

async function signUp(stage, options = {}) {
  const page = await stage.visit(at(stage, '/console'), options);
  await page.getByRole('button', { name: 'Sign up' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Ada');
  await page.getByRole('textbox', { name: 'Email' }).fill('ada@example.org');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign up' }).click();
  await page.getByRole('status').filter({ hasText: 'ada@example.org' }).waitFor();
  // The link is opened in the same browser, in a tab of its own.
  await page.goto('about:blank');
  await page.goto(await mailedLink(stage));
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  return page;
}

const section = (page, name) => page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name, exact: true }).click();

scenario('somebody signs up, makes a key pair and a widget, and readers of their page have a workspace', async (stage) => {
  // Before one is logged in, the browser says of itself that there is no session.
  stage.expect(/status of 401/);
  const page = await signUp(stage);
  assert.equal(new URL(page.url()).hash, '');
  await page.getByText('20 Credits').waitFor();
  await page.screenshot({ path: 'target/browser/console-first.png' });

  await page.getByRole('button', { name: 'Make a key pair for your backend' }).click();
  await page.getByRole('button', { name: 'New key pair' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Course backend');
  await page.getByRole('spinbutton', { name: 'Budget in credits' }).fill('5');
  await page.screenshot({ path: 'target/browser/console-new-key.png' });
  await page.getByRole('button', { name: 'Create key pair' }).click();
  const [publicKey, secretKey] = await Promise.all(
    ['Public key', 'Secret key'].map((name) => page.getByRole('textbox', { name, exact: true }).inputValue()),
  );
  assert.match(publicKey, /^pk_/);
  assert.match(secretKey, /^sk_/);
  const basic = `Basic ${Buffer.from(`${publicKey}:${secretKey}`).toString('base64')}`;
  const open = () => fetch(at(stage, '/api/v1/rooms'), { method: 'POST', headers: { authorization: basic, 'content-type': 'application/json' }, body: '{}' });
  const opened = await open();
  assert.equal(opened.status, 201);
  const { join } = await opened.json();
  const reader = await stage.person({ link: at(stage, `/w#join=${join}`) });
  await reader.connected();

  // What was spent is seen, and the room is.
  await section(page, 'Overview');
  await page.getByRole('img', { name: 'Credits spent by day' }).waitFor();
  await page.getByText('Course backend').waitFor();
  await page.getByRole('banner').getByText('19 Credits').waitFor();
  await page.screenshot({ path: 'target/browser/console-overview.png' });
  assert.deepEqual(await findings(page, 'overview'), []);
  await section(page, 'Rooms');
  const room = page.getByRole('list', { name: 'Rooms' }).getByRole('listitem');
  await room.getByText('1 connected').waitFor();
  await page.screenshot({ path: 'target/browser/console-rooms.png' });
  const [tab] = await Promise.all([page.waitForEvent('popup'), room.getByRole('button', { name: /^Open room/ }).click()]);
  await tab.getByRole('button', { name: 'Share' }).waitFor();
  await tab.close();
  await room.getByRole('button', { name: /^End room/ }).click();
  await room.getByRole('group').getByRole('button', { name: 'End' }).click();
  await page.getByText('No room lives.').waitFor();

  // A widget in a page of theirs.
  const site = await stage.host({});
  await section(page, 'Widgets');
  await page.getByRole('button', { name: 'New widget' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Docs');
  await page.getByRole('textbox', { name: 'Origins' }).fill(site.origin);
  await page.getByRole('button', { name: 'Create widget' }).click();
  const snippet = await page.getByRole('textbox', { name: 'For your page' }).inputValue();
  await page.screenshot({ path: 'target/browser/console-widgets.png' });
  site.serve('/', `<!doctype html><title>Docs</title><link rel="icon" href="data:,">${snippet}`);
  const docs = await stage.visit(`${site.origin}/`);
  await docs.frameLocator('iframe').getByRole('tree').waitFor();
  await page.reload();
  await page.getByText('1 of 100 in this hour').waitFor();

  // The secret is gone with its pair.
  await section(page, 'Key pairs');
  await page.getByText('1 of 5 spent').waitFor();
  await page.getByRole('button', { name: 'Revoke Course backend' }).click();
  await page.getByRole('group').getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('revoked').waitFor();
  assert.equal((await open()).status, 401);
  await page.screenshot({ path: 'target/browser/console-keys.png' });
  stage.mailbox.stop();
}, { env });

scenario('a password is changed and forgotten, browsers are listed and logged out, and an account is closed', async (stage) => {
  stage.expect(/status of 40[13]/);
  const page = await signUp(stage);
  await section(page, 'Account');
  await page.getByText('account.created').waitFor();
  await page.getByRole('textbox', { name: 'Name' }).fill('Ada L.');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('banner').getByText('Ada L.').waitFor();
  await page.getByLabel('Current password').fill('not this one');
  await page.getByLabel('New password').fill('another password');
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByRole('alert').filter({ hasText: 'not your password' }).waitFor();
  await page.getByLabel('Current password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByText('Every other browser is logged out.').waitFor();
  await page.screenshot({ path: 'target/browser/console-account.png', fullPage: true });

  // Another browser, which has forgotten the password.
  const other = await stage.visit(at(stage, '/console'));
  await other.getByRole('textbox', { name: 'Email' }).fill('ada@example.org');
  await other.getByLabel('Password').fill(PASSWORD);
  await other.getByRole('button', { name: 'Log in' }).click();
  await other.getByText('do not belong together').waitFor();
  await other.screenshot({ path: 'target/browser/console-door.png' });
  assert.deepEqual(await findings(other, 'door'), []);
  await other.getByRole('button', { name: 'Forgot your password?' }).click();
  await other.getByRole('textbox', { name: 'Email' }).fill('ada@example.org');
  await other.getByRole('button', { name: 'Send a link' }).click();
  await other.getByRole('status').waitFor();
  const link = await mailedLink(stage);
  await other.goto('about:blank');
  await other.goto(link);
  await other.getByLabel('Password').fill('a third password');
  await other.getByRole('button', { name: 'Set password' }).click();
  await other.getByRole('heading', { name: 'Overview' }).waitFor();
  // The first one is out, and a link is good once.
  await page.reload();
  await page.getByRole('button', { name: 'Log in' }).waitFor();
  await page.goto('about:blank');
  await page.goto(link);
  await page.getByLabel('Password').fill('a fourth password');
  await page.getByRole('button', { name: 'Set password' }).click();
  await page.getByText('was used already').waitFor();

  await section(other, 'Account');
  await other.getByRole('region', { name: 'Close the account' }).getByLabel('Password').fill('a third password');
  await other.getByRole('button', { name: 'Close the account' }).click();
  await other.getByRole('group').getByRole('button', { name: 'Close the account' }).click();
  await other.getByRole('button', { name: 'Log in' }).waitFor();
  stage.mailbox.stop();
}, { env });

scenario('an operator sets the server up, grants credits and invites, on a phone and in German too', async (stage) => {
  stage.expect(/status of 401/);
  const code = await stage.server.operatorCode();
  const page = await stage.visit(at(stage, `/console#operator=${code}`), { viewport: { width: 390, height: 844 } });
  await page.getByRole('textbox', { name: 'Name' }).fill('Root');
  await page.getByRole('textbox', { name: 'Email' }).fill('root@example.org');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await section(page, 'Operator');
  const root = page.getByRole('list', { name: 'Accounts' }).getByRole('listitem', { name: 'Root' });
  await root.getByRole('spinbutton').fill('7');
  await root.getByRole('button', { name: 'Grant credits to Root' }).click();
  await page.getByText('Root has 27 credits now.').waitFor();
  await page.getByRole('banner').getByText('27 Credits').waitFor();
  await page.getByRole('textbox', { name: 'Email' }).fill('bob@example.org');
  await page.getByRole('button', { name: 'Invite' }).click();
  const link = await mailedLink(stage);
  assert.match(link, /#invitation=/);
  await page.screenshot({ path: 'target/browser/console-phone.png' });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `${wide} px`);

  const bob = await stage.visit(link, { locale: 'de-DE', colorScheme: 'dark' });
  await bob.getByText('Du bist eingeladen.').waitFor();
  await bob.screenshot({ path: 'target/browser/console-german.png' });
  stage.mailbox.stop();
}, { env });

scenario('an operator looks at the server, has it open no rooms for a while, and hands out a link to one', async (stage) => {
  stage.expect(/status of 401|status of 503/);
  const code = await stage.server.operatorCode();
  const page = await stage.visit(at(stage, `/console#operator=${code}`));
  await page.getByRole('textbox', { name: 'Name' }).fill('Root');
  await page.getByRole('textbox', { name: 'Email' }).fill('root@example.org');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await section(page, 'Server');
  await page.getByText('rooms live, 1000 at most').waitFor();
  await page.getByRole('list', { name: 'Spaces' }).getByRole('listitem', { name: 'default' }).getByText(/^Each up to 1 GiB/).waitFor();
  await page.getByRole('button', { name: 'Examine' }).click();
  await page.getByText('Everything it needs is there.').waitFor();
  const maintenance = page.getByRole('region', { name: 'Maintenance' });
  await maintenance.getByRole('textbox', { name: 'What people are told' }).fill('Back at noon.');
  await maintenance.getByRole('button', { name: 'Begin maintenance' }).click();
  await maintenance.getByRole('status').filter({ hasText: 'Back at noon.' }).waitFor();
  await page.screenshot({ path: 'target/browser/console-server.png', fullPage: true });
  assert.deepEqual(await findings(page, 'server'), []);

  await section(page, 'Rooms');
  await page.getByRole('button', { name: 'Open a room' }).click();
  await page.getByRole('alert').filter({ hasText: 'Back at noon.' }).waitFor();
  await section(page, 'Server');
  await page.getByRole('button', { name: 'End maintenance' }).click();
  await page.getByRole('button', { name: 'Begin maintenance' }).waitFor();
  await section(page, 'Rooms');
  const [tab] = await Promise.all([page.waitForEvent('popup'), page.getByRole('button', { name: 'Open a room' }).click()]);
  await tab.getByRole('button', { name: 'Share' }).waitFor();
  await tab.close();
  const rooms = page.getByRole('list', { name: 'Rooms' });
  const [watching] = await Promise.all([page.waitForEvent('popup'), rooms.getByRole('button', { name: /^Watch room/ }).click()]);
  await watching.getByText('Read-only').waitFor();
  await watching.close();

  // The server's own first room is another account's.
  const room = page.getByRole('list', { name: 'Rooms' }).getByRole('listitem').first();
  await room.getByRole('button', { name: /^Links to room/ }).click();
  await room.getByText('No link was made').waitFor();
  await room.getByRole('button', { name: 'New link' }).click();
  await room.getByRole('combobox', { name: 'Who comes by it may' }).selectOption('viewer');
  await room.getByRole('spinbutton', { name: 'Minutes in the room' }).fill('90');
  await room.getByRole('button', { name: 'Make link' }).click();
  const link = await room.getByRole('textbox', { name: 'Link', exact: true }).inputValue();
  const reader = await stage.person({ link, name: 'Grace' });
  await reader.connected();
  await room.getByRole('button', { name: /^Links to room/ }).click();
  await room.getByRole('button', { name: /^Links to room/ }).click();
  const made = room.getByRole('listitem', { name: /^Link/ }).filter({ hasText: 'here: Grace' });
  await made.getByText('1 came').waitFor();
  await made.getByText('0 of 90 minutes').waitFor();
  await page.screenshot({ path: 'target/browser/console-links.png', fullPage: true });
  assert.deepEqual(await findings(page, 'links'), []);
  await made.getByRole('button', { name: /^Revoke link/ }).click();
  await made.getByRole('group').getByRole('button', { name: 'Revoke' }).click();
  await room.getByText('No link was made').waitFor();

  const reference = await stage.visit(at(stage, '/api'));
  await reference.getByRole('link', { name: /^put Begins maintenance/i }).click();
  await reference.getByRole('heading', { name: 'put /api/v1/maintenance' }).waitFor();
  await reference.screenshot({ path: 'target/browser/console-reference.png' });
  assert.deepEqual(await findings(reference, 'reference'), []);
  stage.mailbox.stop();
}, { env });

scenario('a webhook is made, hears a test and of a room, is told of what failed, and is revoked', async (stage) => {
  stage.expect(/status of 401|status of 400/);
  // A server of theirs, which refuses the first message.
  const heard = [];
  const theirs = createServer((request, response) => {
    request.resume();
    heard.push(request.headers['webhook-id']);
    response.writeHead(heard.length === 1 ? 500 : 204).end();
  });
  await new Promise((listens) => theirs.listen(0, '127.0.0.1', listens));
  const url = `http://127.0.0.1:${theirs.address().port}/hook`;
  const page = await signUp(stage);
  await section(page, 'Webhooks');
  await page.getByRole('button', { name: 'New webhook' }).click();
  await page.getByRole('textbox', { name: 'Address' }).fill('https://10.0.0.1/');
  await page.getByRole('textbox', { name: 'Events' }).fill('room.started, room.ended');
  await page.getByRole('button', { name: 'Create webhook' }).click();
  await page.getByRole('alert').filter({ hasText: 'private, local or reserved' }).waitFor();
  await page.getByRole('textbox', { name: 'Address' }).fill(url);
  await page.getByRole('button', { name: 'Create webhook' }).click();
  assert.match(await page.getByRole('textbox', { name: 'Signing secret' }).inputValue(), /^whsec_/);

  const hook = page.getByRole('list', { name: 'Webhooks' }).getByRole('listitem', { name: url });
  await hook.getByText('room.started · room.ended').waitFor();
  await hook.getByRole('button', { name: 'Send a test' }).click();
  const messages = hook.getByRole('list', { name: 'Messages' });
  await messages.getByRole('listitem').first().waitFor();
  await looksUntil(hook, messages.getByText('it answered 500 Internal Server Error'));
  await page.screenshot({ path: 'target/browser/console-webhooks.png' });
  assert.deepEqual(await findings(page, 'webhooks'), []);
  await messages.getByRole('button', { name: 'Send again: webhook.test' }).click();
  await looksUntil(hook, messages.getByText(/^arrived/));
  assert.equal(heard.at(-1), heard[0]);

  await section(page, 'Rooms');
  await page.getByRole('button', { name: 'Open a room' }).click();
  await section(page, 'Webhooks');
  await hook.getByRole('button', { name: 'Messages' }).click();
  await looksUntil(hook, messages.getByRole('listitem').filter({ hasText: 'room.started' }).getByText(/^arrived/));
  await hook.getByRole('button', { name: `Revoke ${url}` }).click();
  await page.getByRole('group').getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('There is no webhook yet.').waitFor();
  theirs.close();
  stage.mailbox.stop();
}, { env: async (stage) => ({ ...(await env(stage)), EMBEDENV_WEBHOOKS__INWARD: '127.0.0.0/8' }) });

/** Has the list of messages looked at again until something stands in it. */
async function looksUntil(hook, locator) {
  for (const end = Date.now() + LOOKED; Date.now() < end; ) {
    const looked = hook.page().waitForResponse(/\/deliveries\?/);
    await hook.getByRole('button', { name: 'Look again' }).click();
    await (await looked).finished();
    if (await locator.first().isVisible()) return;
  }
  await locator.first().waitFor({ timeout: 1 });
}
