// The page comes in two halves: a file can be typed into with the first alone, and the second comes by itself.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

/** The page's late half as the browser loaded it: how each request began. */
function lateRequests(page) {
  return page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .filter(({ name }) => name.includes('/assets/embedenv-late-'))
      .map(({ initiatorType }) => initiatorType),
  );
}

scenario('nothing that runs until a file can be typed into waits for the late half, the first time and after a reload', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  assert.deepEqual(await lateRequests(ide.page), ['fetch']);
  await ide.newFile('kept.txt');
  await ide.type('kept.txt', 'kept');
  await ide.saved('kept.txt').waitFor();
  await ide.page.reload();
  await ide.ready();
  await ide.editorSays('kept.txt', 'kept');
  assert.deepEqual(await lateRequests(ide.page), ['fetch']);
});

scenario('what is done before the late half is there waits for it, and is done', async (stage) => {
  const ide = await stage.person({ before: (page) => page.route('**/embedenv-late-*', (route) => (route.request().resourceType() === 'fetch' ? route.abort() : route.continue())) });
  // Of the half that was asked for in vain, the browser says so.
  stage.troubles = stage.troubles.filter((trouble) => !trouble.includes('ERR_FAILED'));
  await ide.connected();
  await ide.editor('README.md').waitFor();
  await ide.page.keyboard.press('F1');
  await ide.dialog('Command palette').waitFor();
  stage.troubles = stage.troubles.filter((trouble) => !trouble.includes('ERR_FAILED'));
});
