// Coming back: who a page is after a reload, what a copy of its tab is, and how it notices a server that says nothing.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

/** The longest until a page notices by itself that nothing answers, with what a slow machine adds. */
const NOTICED = 60_000;
/** The longest for a page that has reason to doubt its connection. */
const DOUBTED = 12_000;

/** What a page is told when it joins next; a promise that is not to be waited for before it does. */
function joined(page) {
  return new Promise((resolve) => {
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => {
        if (typeof payload === 'string' && payload.startsWith('{"type":"joined"')) resolve(JSON.parse(payload));
      }),
    );
  });
}

scenario('a page that is loaded again is who it was, and a copy of its tab is somebody else', async (stage) => {
  let first;
  const ada = await stage.person({
    name: 'Ada',
    before: (page) => {
      first = joined(page);
    },
  });
  await ada.ready();
  const { member } = await first;
  await ada.button('Lock terminal').click();
  await ada.button('Unlock terminal').waitFor();

  let next = joined(ada.page);
  await ada.page.reload();
  await ada.ready();
  const again = await next;
  assert.deepEqual([again.resumed, again.member], [true, member]);
  await ada.button('Unlock terminal').waitFor();

  // The storage of a tab that another opens begins as a copy of that one's.
  const opened = ada.page.context().waitForEvent('page');
  await ada.page.evaluate(() => void window.open('about:blank'));
  const copy = await opened;
  next = joined(copy);
  await copy.goto(stage.server.link);
  const other = await next;
  assert.notEqual(other.member, member);
  await ada.connected();
  await ada.answer('echo still here');
  await ada.row('still here').waitFor();
});

scenario('a page notices by itself that nothing answers, and at once when it has been hidden', async (stage) => {
  const ada = await stage.person({ name: 'Ada' });
  await ada.ready();
  stage.serverIsGone(true);
  stage.server.freeze();
  await ada.connection.filter({ hasText: 'Reconnecting' }).waitFor({ timeout: NOTICED });
  stage.server.thaw();
  await ada.connected();

  stage.server.freeze();
  // What a tab hears that is shown again, as after a laptop's sleep.
  await ada.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await ada.connection.filter({ hasText: 'Reconnecting' }).waitFor({ timeout: DOUBTED });
  stage.server.thaw();
  await ada.connected();
  stage.serverIsGone(false);
  await ada.answer('echo caught up');
  await ada.row('caught up').waitFor();
});
