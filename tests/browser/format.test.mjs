// Formatting by what the sandbox has. The formatter here reads with Python's own parser, in the project's own folder of
// programs, under the name of one that the page knows.

import assert from 'node:assert/strict';
import { scenario } from './scenario.mjs';

const BLACK = `#!/usr/bin/env python3
import ast, re, sys, time
text = sys.stdin.read()
time.sleep(0.3)
try:
    ast.parse(text)
except SyntaxError as error:
    sys.exit(f"error: cannot format {sys.argv[3]}: {error.lineno}:{error.offset} {error.msg}")
text = re.sub(r" *= *", " = ", re.sub(r", *", ", ", text))
sys.stdout.write(re.sub(r"\\n+", "\\n", text))
`;

scenario('a file is formatted in one step that keeps what others type, and a mistake in it is told', async (stage) => {
  const ide = await stage.person();
  await ide.ready();
  await ide.write({ 'shape.py': 'x=1\ny  =  [1,2]\n\nlast = 3\n', 'plain.txt': 'x\n' });
  await ide.entry('shape.py').dblclick();
  await ide.editorSays('shape.py', 'x=1\ny  =  [1,2]\n\nlast = 3\n');

  // Nothing is there: it says what would be used, and how to get it.
  await ide.editor('shape.py').click();
  await ide.page.keyboard.press('Alt+Shift+f');
  const alert = ide.page.getByRole('alert');
  const missing = alert.filter({ hasText: 'shape.py was not formatted: the sandbox has no black / ruff. Install it in a terminal: pip install black' });
  await missing.waitFor();

  await ide.write({ '.venv/bin/black': BLACK });
  await ide.run('chmod +x .venv/bin/black');
  const grace = await stage.person();
  await grace.ready();
  await grace.entry('shape.py').dblclick();
  await grace.editorSays('shape.py', 'x=1\ny  =  [1,2]\n\nlast = 3\n');
  await grace.editor('shape.py').click();
  await grace.page.keyboard.press('Control+End');
  await ide.editor('shape.py').click();
  await ide.page.keyboard.press('Control+Home');
  await Promise.all([ide.page.keyboard.press('Alt+Shift+f'), grace.page.keyboard.type('# kept')]);
  await ide.editorSays('shape.py', 'x = 1\ny = [1, 2]\nlast = 3\n# kept');
  await grace.editorSays('shape.py', 'x = 1\ny = [1, 2]\nlast = 3\n# kept');
  await ide.page.keyboard.press('Control+z');
  await ide.editorSays('shape.py', 'x=1\ny  =  [1,2]\n\nlast = 3\n# kept');

  // Saving does it, too, once that is wanted.
  await ide.page.keyboard.press('Control+,');
  await ide.dialog('Settings').getByRole('switch', { name: 'Format on save' }).check();
  await ide.page.keyboard.press('Escape');
  await ide.editor('shape.py').click();
  await ide.page.keyboard.press('Control+s');
  await ide.editorSays('shape.py', 'x = 1\ny = [1, 2]\nlast = 3\n# kept');
  await ide.page.keyboard.press('Control+Home');
  await ide.page.keyboard.type('def (');
  await ide.page.keyboard.press('Control+s');
  await alert.filter({ hasText: /shape\.py was not formatted, and is as it was\. black says: error: cannot format shape\.py: 1:5/ }).waitFor();
  await ide.page.screenshot({ path: 'target/browser/format-mistake.png' });
  assert.match(await ide.editor('shape.py').innerText(), /^def \(/);

  await ide.entry('plain.txt').dblclick();
  await ide.editorSays('plain.txt', 'x\n');
  await ide.editor('plain.txt').click();
  await ide.page.keyboard.press('Alt+Shift+f');
  await alert.filter({ hasText: 'no formatter is known for files of this kind' }).waitFor();
});
