// A small screen that is touched: one pane at a time.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

scenario('on a phone one pane is shown at a time and everything to press is large enough', async (stage) => {
  const ide = await stage.person({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await ide.connected();
  await ide.button('Files').tap();
  await ide.entry('ask.py').waitFor();
  await ide.entry('ask.py').tap();
  await ide.button('Editor').tap();
  await ide.editor('ask.py').waitFor();
  assert.ok(await ide.tree.isHidden());
  await ide.button('Run').tap();
  await ide.button('Terminal').tap();
  await ide.row('What is your name?').waitFor();
  assert.ok(await ide.editor('ask.py').isHidden());

  // Looked at in one go: buttons come and go while a page is used.
  const small = await ide.page.getByRole('button').evaluateAll((buttons) =>
    buttons
      .map((button) => ({ button, box: button.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && (box.height < 40 || box.width < 40))
      .map(({ button, box }) => `${button.innerText || button.ariaLabel} ${box.width}×${box.height}`),
  );
  assert.deepEqual(small, []);
  const wide = await ide.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `the page is ${wide} wide`);
});
