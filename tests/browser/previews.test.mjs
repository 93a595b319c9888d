// What a tab shows besides text: pictures, Markdown as it looks, and what has changed in a file.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

/** Two by two dots, the last one clear. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAYAAABytg0kAAAAFklEQVR42mP8z8Dwn4GBgYGJAQoYGAAhBAICXpz1bgAAAABJRU5ErkJggg==', 'base64');
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="80"><script>parent.stolen = 1</script><circle cx="60" cy="40" r="30" fill="teal"/></svg>\n';

const MARKDOWN = `# A page & more

Text with **weight**, \`code\` and a [neighbour](notes/other.md), [the web](https://example.com) and [a trap](javascript:alert(1)).

<script>window.stolen = 1</script>
<img src=x onerror="window.stolen = 1">

- [x] done
- [ ] open
- no task
  1. deeper

> Said by somebody.

| what | how much |
| --- | ---: |
| apples | 3 |

\`\`\`python
def answer():
    return 42
\`\`\`

![dots](dots.png) ![gone](no.png) ![far](https://example.com/far.png)
${'\nA long way down.\n'.repeat(60)}
## The end
`;

scenario('pictures are shown as pictures, as large as one likes', async (stage) => {
  const ide = await stage.person({ viewport: { width: 1440, height: 900 } });
  await ide.ready();
  await ide.write({ 'dots.png': PNG, 'round.svg': SVG, 'broken.jpg': 'no picture' });
  await ide.entry('dots.png').dblclick();
  const picture = ide.page.getByRole('group', { name: 'Picture: dots.png' });
  await ide.page.getByText(/^2 × 2 · \d+ B$/).waitFor();
  await ide.page.getByText('100 %', { exact: true }).first().waitFor();
  await picture.focus();
  for (let n = 0; n < 15; n++) await ide.page.keyboard.press('+');
  const scale = ide.page.getByRole('toolbar', { name: 'Picture' }).getByRole('status');
  assert.ok(Number.parseInt(await scale.innerText()) > 2000);
  await ide.page.screenshot({ path: 'target/browser/picture.png' });
  await picture.hover();
  await ide.page.mouse.wheel(0, 100);
  await ide.button('Actual size').click();
  assert.equal(await scale.innerText(), '100 %');
  assert.equal(await picture.getByRole('img').evaluate((image) => image.getBoundingClientRect().width), 2);

  // It follows its file.
  await ide.run('cp dots.png more; cat more >> dots.png');
  await ide.page.getByText(`2 × 2 · ${PNG.length * 2} B`).waitFor();

  await ide.entry('broken.jpg').dblclick();
  await ide.page.getByText('This file can\'t be shown as a picture.').waitFor();

  // An SVG is text, and beside it a picture, in which nothing runs.
  await ide.entry('round.svg').dblclick();
  await ide.editorSays('round.svg', SVG);
  await ide.button('Preview the file').click();
  await ide.page.getByText(/^120 × 80/).waitFor();
  assert.equal(await ide.page.evaluate(() => window.stolen), undefined);
  await ide.page.screenshot({ path: 'target/browser/picture-svg.png' });
});

scenario('Markdown is shown beside its source, as it is typed, and nothing in it runs', async (stage) => {
  const ide = await stage.person({ viewport: { width: 1440, height: 900 } });
  await ide.ready();
  await ide.write({ 'page.md': MARKDOWN, 'dots.png': PNG, 'notes/other.md': 'other\n' });
  await ide.entry('page.md').dblclick();
  await ide.editor('page.md').waitFor();
  await ide.editor('page.md').click();
  await ide.page.keyboard.press('Control+k');
  await ide.page.keyboard.press('v');
  const preview = ide.page.getByRole('document', { name: 'Preview: page.md' });
  await preview.getByRole('heading', { name: 'A page & more', level: 1 }).waitFor();
  await ide.hasKeyboard(ide.editor('page.md'));
  assert.equal(await ide.page.evaluate(() => window.stolen), undefined);
  assert.equal(await preview.locator('script, [onerror]').count(), 0);
  assert.equal(await preview.getByRole('link', { name: 'a trap' }).count(), 0);
  assert.equal(await preview.getByRole('link', { name: 'the web' }).getAttribute('href'), 'https://example.com');
  assert.equal(await preview.getByRole('checkbox').first().isChecked(), true);
  await preview.getByRole('cell', { name: 'apples' }).waitFor();
  await preview.getByText('gone (no such picture)').waitFor();
  await ide.page.waitForFunction(() => document.querySelector('.markdown img[alt=dots]')?.naturalWidth === 2);
  await ide.page.waitForFunction(() => document.querySelectorAll('.markdown pre span').length > 2);
  await ide.page.screenshot({ path: 'target/browser/markdown.png' });

  // It follows what is typed, and where one reads.
  await ide.page.keyboard.press('Control+End');
  await ide.page.keyboard.type('typed just now');
  await preview.getByText('typed just now').waitFor();
  await ide.page.waitForFunction(() => document.querySelector('.markdown').scrollTop > 400);
  await preview.hover();
  await ide.page.mouse.wheel(0, -20_000);
  await ide.page.waitForFunction(() => document.querySelector('.cm-scroller').scrollTop < 50);

  await preview.getByRole('link', { name: 'neighbour' }).click();
  await ide.editorSays('notes/other.md', 'other\n');
  // The preview goes with its source.
  await ide.page.getByRole('tab', { name: /^page\.md/ }).click({ button: 'middle' });
  await ide.page.getByRole('tab', { name: 'Preview page.md' }).waitFor({ state: 'detached' });
});

scenario('what has changed since a file was opened is marked, compared and taken back', async (stage) => {
  const ide = await stage.person({ viewport: { width: 1440, height: 900 } });
  await ide.ready();
  const text = Array.from({ length: 40 }, (_, n) => `line ${n + 1}`).join('\n');
  await ide.write({ 'story.txt': text });
  await ide.entry('story.txt').dblclick();
  await ide.editorSays('story.txt', text);
  await ide.editor('story.txt').click();
  await ide.page.keyboard.press('Control+Home');
  await ide.page.keyboard.type('a new line\n');
  await ide.page.keyboard.press('ArrowDown');
  await ide.page.keyboard.press('Control+Shift+k');
  await ide.page.keyboard.press('ArrowDown');
  await ide.page.keyboard.press('End');
  await ide.page.keyboard.type(' is other');
  await ide.page.getByTitle('Added since the file was first opened').waitFor();
  await ide.page.getByTitle('Changed since the file was first opened').waitFor();
  await ide.page.getByTitle('Lines were taken out here since the file was first opened').waitFor();
  await ide.page.screenshot({ path: 'target/browser/changes.png' });

  await ide.page.keyboard.press('Control+k');
  await ide.page.keyboard.press('d');
  await ide.page.getByRole('tab', { name: 'story.txt (since opened)' }).waitFor();
  const older = ide.page.getByRole('textbox', { name: 'When it was first opened: story.txt' });
  await older.waitFor();
  await ide.page.locator('.cm-collapsedLines').first().waitFor();
  await ide.page.screenshot({ path: 'target/browser/compare.png' });
  // A change is taken back by its button.
  assert.equal(await ide.page.getByRole('button', { name: 'Revert this change' }).count(), 3);
  await ide.page.locator('.cm-revert[data-chunk="1"]').click();
  // The newer side is the file: what is typed there is typed there.
  const newer = ide.page.locator('.compare').getByRole('textbox', { name: 'Editor: story.txt' });
  await newer.click();
  await ide.page.keyboard.press('Control+Home');
  await ide.page.keyboard.type('really ');
  await ide.page.getByRole('tab', { name: /^story\.txt(, unsaved)?$/ }).click();
  const now = text.replace(/line 4$/m, 'line 4 is other');
  await ide.editorSays('story.txt', `really a new line\n${now}`);
  // And by the cursor.
  await ide.editor('story.txt').first().click();
  await ide.page.keyboard.press('Control+Home');
  await ide.page.keyboard.press('F1');
  await ide.page.getByRole('dialog').getByRole('combobox').fill('take back the change');
  await ide.page.keyboard.press('Enter');
  await ide.editorSays('story.txt', now);

  // Against the disk nothing has changed, once it is saved.
  await ide.page.keyboard.press('Control+s');
  await ide.page.keyboard.press('Control+k');
  await ide.page.keyboard.press('s');
  await ide.page.getByRole('tab', { name: 'story.txt (since saved)' }).waitFor();
  await ide.button('Inline').click();
  // The comparison with what was opened is still there, behind it.
  const marks = ide.page.locator('.compare .cm-changedLine, .compare .cm-deletedChunk').filter({ visible: true });
  await marks.first().waitFor({ state: 'detached' });
  assert.equal(await marks.count(), 0);
});
