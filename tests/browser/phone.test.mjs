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

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** A finger that goes down on something, stays, and goes up. */
async function longPress(ide, locator) {
  const box = await locator.boundingBox();
  const session = await ide.page.context().newCDPSession(ide.page);
  const touchPoints = [{ x: box.x + box.width / 3, y: box.y + box.height / 2 }];
  await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints });
  const menu = ide.page.getByRole('menu');
  await menu.waitFor();
  await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  return menu;
}

scenario('a finger that stays opens the menu of an entry or a tab, and presses nothing in it', async (stage) => {
  const ide = await stage.person(phone);
  await ide.connected();
  await ide.button('Files').tap();
  const menu = await longPress(ide, ide.entry('ask.py'));
  await ide.page.screenshot({ path: 'target/browser/phone-menu.png' });
  // It is still open, and the entry is not shown instead of it.
  await menu.getByRole('menuitem', { name: 'Rename' }).tap();
  await ide.page.getByRole('textbox', { name: 'Name', exact: true }).fill('asked.py');
  await ide.page.keyboard.press('Enter');
  await ide.entry('asked.py').tap();
  await ide.button('Editor').tap();
  await ide.editor('asked.py').waitFor();
  const tabMenu = await longPress(ide, ide.tab('asked.py'));
  await tabMenu.getByRole('menuitem', { name: 'Close', exact: true }).tap();
  await ide.tab('asked.py').waitFor({ state: 'detached' });
});

scenario('a keyboard that lies over the page hides neither the line that is typed nor the bar below', async (stage) => {
  const ide = await stage.person(phone);
  await ide.connected();
  await ide.button('Files').tap();
  await ide.button('New file').tap();
  await ide.page.getByRole('textbox', { name: 'Name', exact: true }).fill('long.txt');
  await ide.page.keyboard.press('Enter');
  await ide.editor('long.txt').tap();
  await ide.hasKeyboard(ide.editor('long.txt'));
  await ide.page.keyboard.insertText(Array.from({ length: 80 }, (_, at) => `line ${at + 1}`).join('\n'));
  await ide.page.keyboard.press('Control+Home');
  const line = ide.editor('long.txt').getByText('line 24', { exact: true });
  await line.tap();
  await ide.hasKeyboard(ide.editor('long.txt'));
  // As Safari does it: the window stays as it is, and less of it is to be seen.
  const cover = (height) =>
    ide.page.evaluate((height) => {
      for (const [name, value] of [['height', height], ['offsetTop', 0]]) {
        Object.defineProperty(visualViewport, name, { configurable: true, get: () => value });
      }
      visualViewport.dispatchEvent(new Event('resize'));
    }, height);
  await cover(440);
  const bottom = async (locator) => {
    const box = await locator.boundingBox();
    return box.y + box.height;
  };
  const bar = ide.button('Editor');
  await ide.page.waitForFunction(() => document.querySelector('.panebar').getBoundingClientRect().bottom <= 440.5);
  const keys = ide.page.getByRole('toolbar', { name: 'Keys' });
  assert.ok((await bottom(bar)) <= 440.5);
  const top = (await keys.boundingBox()).y;
  await ide.page.waitForFunction(
    (top) => document.querySelector('.cm-activeLine').getBoundingClientRect().bottom <= top + 0.5, top);
  await ide.page.screenshot({ path: 'target/browser/phone-keyboard.png' });
  await cover(844);
  await ide.page.waitForFunction(() => document.querySelector('.panebar').getBoundingClientRect().bottom > 800);
});

scenario('what the palette does with a text is seen, whatever pane was there before', async (stage) => {
  const ide = await stage.person(phone);
  await ide.connected();
  await ide.editor('README.md').waitFor();
  const choose = async (pane, command) => {
    await ide.button(pane).tap();
    await ide.editor('README.md').waitFor({ state: 'hidden' });
    await ide.button('Command palette').tap();
    await ide.page.getByRole('dialog').getByRole('combobox').fill(command);
    await ide.page.keyboard.press('Enter');
  };
  await choose('Terminal', 'find in the file');
  await ide.page.getByRole('textbox', { name: 'Find', exact: true }).waitFor();
  await choose('Chat', 'changed since the file was first');
  await ide.openFiles.getByRole('tab', { name: /since/ }).waitFor();
  await ide.editor('README.md').waitFor();
});
