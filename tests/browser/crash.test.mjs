// The server goes away under a page and comes back.

import { scenario } from './scenario.mjs';

scenario('after a crash of the server the page goes on by itself with its text and its terminals', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.newFile('kept.txt');
  await ide.type('kept.txt', 'before');
  await ide.newTerminal();
  await ide.answer('kept=41; echo "stored $kept"');
  await ide.row('stored 41').waitFor();

  stage.serverIsGone(true);
  await stage.server.crash();
  await ide.connection.filter({ hasText: /Reconnecting|Offline/ }).waitFor();
  await ide.editor('kept.txt').click();
  await ide.page.keyboard.press('Control+End');
  await ide.page.keyboard.type(', meanwhile');
  await ide.editorSays('kept.txt', 'before, meanwhile');

  await stage.server.startAgain();
  await ide.connected();
  stage.serverIsGone(false);
  await ide.page.keyboard.type(', after');
  await ide.editorSays('kept.txt', 'before, meanwhile, after');

  // The same shell as before, not a new one; and the file holds all three.
  await ide.row('stored 41').waitFor();
  await ide.answer('echo "is $((kept + 1))"');
  await ide.row('is 42').waitFor();
  await ide.openFiles.getByRole('tab', { name: 'kept.txt', exact: true }).waitFor();
  await ide.answer('cat kept.txt; echo " <end>"');
  await ide.row('before, meanwhile, after <end>').waitFor();
});
