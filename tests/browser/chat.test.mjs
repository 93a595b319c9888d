// Talking in a room, links to places in files, and the list of who did what.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

const NARROW = { width: 390, height: 844 };

function panel(ide) {
  const region = ide.page.getByRole('region', { name: 'Chat and activity' });
  return {
    log: region.getByRole('log', { name: 'Chat' }),
    box: region.getByRole('textbox', { name: 'Message' }),
    tab: (name) => region.getByRole('tab', { name, exact: true }),
    deeds: region.getByRole('list', { name: 'Activity' }).getByRole('listitem'),
    place: (name) => region.getByRole('button', { name, exact: true }),
    region,
  };
}

async function openChat(ide) {
  await ide.page.getByRole('button', { name: /^Chat(, \d+ unread)?$/ }).click();
  return panel(ide);
}

scenario('two people talk, a place in a file is a link, and both see who did what', async (stage) => {
  const ada = await stage.person({ name: 'Ada' });
  await ada.ready();
  await ada.newFile('poem.py');
  await ada.type('poem.py', 'one = 1\ntwo = 2\nthree = 3');
  const grace = await stage.person({ name: 'Grace Hopper', otherBrowser: true, colorScheme: 'dark' });
  await grace.ready();

  const adas = await openChat(ada);
  await adas.box.fill('Look at poem.py:2, or (poem.py:3:4).\nAnd at https://example.com/a?b=1 <img src=x onerror="document.title=1">');
  await adas.box.press('Enter');
  await adas.log.getByText('<img src=x').waitFor();
  assert.equal(await adas.box.inputValue(), '');
  // Who has not opened the chat is told that there is something.
  await grace.button('Chat, 1 unread').waitFor();
  const graces = await openChat(grace);
  await graces.log.getByText('Ada', { exact: true }).waitFor();
  await graces.log.getByText('<img src=x onerror="document.title=1">').waitFor();
  await grace.button('Chat').waitFor();
  const link = graces.log.getByRole('link', { name: 'https://example.com/a?b=1' });
  assert.equal(await link.getAttribute('rel'), 'noopener noreferrer');

  await graces.place('poem.py:2').click();
  await grace.tab('poem.py').waitFor();
  await grace.page.getByText('Ln 2, Col 1').waitFor();
  await grace.hasKeyboard(grace.editor('poem.py'));
  await graces.place('poem.py:3:4').click();
  await grace.page.getByText('Ln 3, Col 4').waitFor();

  // A line can be named without typing it.
  await graces.region.getByRole('button', { name: 'Link line' }).click();
  assert.equal(await graces.box.inputValue(), 'poem.py:3 ');
  // Closing the chat does not lose it.
  await graces.region.getByRole('button', { name: 'Close chat' }).click();
  await openChat(grace);
  assert.equal(await graces.box.inputValue(), 'poem.py:3 ');
  await graces.box.press('Control+End');
  await graces.box.pressSequentially('is where');
  await graces.box.press('Shift+Enter');
  await graces.box.pressSequentially('it ends');
  await graces.box.press('Enter');
  await adas.log.getByText('is where').waitFor();
  await adas.place('poem.py:3').click();
  await ada.page.getByText('Ln 3, Col 1').waitFor();
  await ada.page.screenshot({ path: 'target/browser/chat-light.png' });
  await grace.page.screenshot({ path: 'target/browser/chat-dark.png' });

  await ada.button('Run').click();
  await graces.tab('Activity').click();
  await graces.deeds.filter({ hasText: 'Ada made poem.py' }).waitFor();
  await graces.deeds.filter({ hasText: /Ada ran .*poem\.py/ }).waitFor();
  await grace.page.screenshot({ path: 'target/browser/activity-dark.png' });

  stage.serverIsGone(true);
  // It is kept with the room, also when the page and the server are not.
  await stage.server.crash();
  await stage.server.startAgain();
  await grace.page.reload();
  await grace.connected();
  stage.serverIsGone(false);
  await panel(grace).log.getByText('it ends').waitFor();
  await panel(grace).log.getByText('<img src=x').waitFor();
  assert.notEqual(await grace.page.title(), '1');
});

scenario('a message written without a connection waits in sight and is said once', async (stage) => {
  const ada = await stage.person({ name: 'Ada', viewport: NARROW });
  await ada.connected();
  const vic = await stage.person({ name: 'Vic', link: await ada.share('viewer') });
  await vic.connected();
  const vics = await openChat(vic);
  await vics.region.getByText('Your link lets you read along.').waitFor();
  assert.equal(await vics.box.count(), 0);

  const adas = await openChat(ada);
  stage.serverIsGone(true);
  await ada.page.context().setOffline(true);
  await ada.connection.filter({ hasText: 'Offline' }).waitFor();
  await adas.box.fill('from the tunnel');
  await adas.box.press('Enter');
  await adas.log.getByText('Waits for the connection').waitFor();
  await ada.page.screenshot({ path: 'target/browser/chat-phone.png' });
  await ada.page.context().setOffline(false);
  await ada.connected();
  await vics.log.getByText('from the tunnel').waitFor();
  await adas.log.getByText('Waits for the connection').waitFor({ state: 'detached' });
  await adas.log.getByText('from the tunnel').waitFor();
  assert.equal(await adas.log.getByText('from the tunnel').count(), 1);
  assert.equal(await vics.log.getByText('from the tunnel').count(), 1);
});

scenario('times are written as they are where one is', async (stage) => {
  for (const [locale, form] of [['en-US', /^(1[0-2]|[1-9]):\d\d\s[AP]M$/], ['en-GB', /^([01]\d|2[0-3]):\d\d$/]]) {
    const ide = await stage.person({ locale, name: locale });
    await ide.ready();
    await ide.button('Chat').click();
    await ide.hasKeyboard(ide.page.getByRole('textbox', { name: 'Message' }));
    await ide.page.keyboard.type(`from ${locale}`);
    await ide.page.keyboard.press('Enter');
    // A message has its time from the server: until that answers it stands there without one.
    await ide.page.getByRole('log').getByRole('time').first().waitFor();
    const times = await ide.page.getByRole('log').getByRole('time').allTextContents();
    assert.ok(times.length > 0);
    for (const time of times) assert.match(time, form);
    if (locale !== 'en-US') continue;
    // By the language that the page speaks, which is not the browser's.
    await ide.page.keyboard.press('Control+,');
    await ide.dialog('Settings').getByRole('combobox', { name: 'Language' }).selectOption('Deutsch');
    await ide.dialog('Einstellungen').waitFor();
    await ide.page.locator('time').filter({ hasText: /^([01]\d|2[0-3]):\d\d$/ }).first().waitFor();
  }
});
