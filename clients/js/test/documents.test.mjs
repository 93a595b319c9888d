// Documents: what several clients type into one file at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as Y from 'yjs';
import { ConnectionLostError, ForbiddenError, InvalidArgumentError, NotFoundError, Sandbox } from '../dist/index.js';
import { is, opened, served, TEST, Told } from './harness.mjs';

const { options } = await served();

test('what one types the others hear of, and the file has it', { timeout: TEST }, async (t) => {
  const sandbox = await opened(t, options);
  const other = await Sandbox.connect(await sandbox.createJoinKey());
  t.after(() => other.close());
  await sandbox.files.write('main.py', 'print(1)\n');
  const [mine, theirs] = [await sandbox.documents.open('main.py'), await other.documents.open('/home/user/main/main.py', { yjs: Y })];
  assert.deepEqual([mine.text, theirs.path, theirs.readOnly], ['print(1)\n', '/home/user/main/main.py', null]);

  const [here, there] = [new Told(), new Told()];
  mine.onChange(here.push);
  theirs.onChange(there.push);
  const edits = [{ from: 0, to: 0, insert: '# für\n' }, { from: 6, to: 7, insert: '"😀"' }];
  await mine.edit(edits.toReversed());
  assert.deepEqual(here.all, [{ text: '# für\nprint("😀")\n', edits, isRemote: false }]);
  await there.until(([change]) => change?.isRemote && change.text === mine.text);
  await theirs.setText('# für\nprint("😃", 2)\n');
  await here.until(() => mine.text === '# für\nprint("😃", 2)\n');
  assert.deepEqual(here.all.at(-1).edits, [{ from: 13, to: 16, insert: '😃", 2' }]);
  await mine.save();
  assert.equal(await sandbox.files.read('main.py'), mine.text);
  // A program writes into the file.
  await sandbox.files.write('main.py', 'print(3)\n');
  await there.until(() => theirs.text === 'print(3)\n');

  assert.throws(() => mine.edit({ from: 8, to: 10, insert: '' }), is(InvalidArgumentError, 'bad_request'));
  assert.throws(() => mine.edit([{ from: 0, to: 2, insert: '' }, { from: 1, to: 3, insert: '' }]), is(InvalidArgumentError, 'bad_request'));
  await sandbox.files.rename('main.py', 'other.py');
  await mine.edit({ from: 0, to: 0, insert: '#' });
  await mine.save();
  assert.deepEqual([mine.path, await sandbox.files.read('other.py')], ['/home/user/main/other.py', '#print(3)\n']);

  const ends = new Told();
  mine.onClose(ends.push);
  await sandbox.files.remove('other.py');
  await ends.until(([reason]) => reason && is(NotFoundError, 'not_found')(reason));
  assert.throws(() => mine.edit({ from: 0, to: 0, insert: 'x' }), is(NotFoundError, 'not_found'));
});

test('who may not change a document reads it, and what is no document is not opened', { timeout: TEST }, async (t) => {
  const sandbox = await opened(t, options);
  const viewer = await Sandbox.connect(await sandbox.createJoinKey({ role: 'viewer' }));
  t.after(() => viewer.close());
  await sandbox.files.write([{ path: 'a.txt', data: 'text' }, { path: 'a.bin', data: Uint8Array.of(0, 1, 2) }]);
  const seen = await viewer.documents.open('a.txt');
  assert.deepEqual([seen.text, seen.readOnly], ['text', 'role']);
  assert.throws(() => seen.edit({ from: 0, to: 0, insert: 'x' }), is(ForbiddenError, 'forbidden'));
  const binary = await sandbox.documents.open('a.bin');
  assert.deepEqual([binary.readOnly, binary.text], ['binary', '']);
  await assert.rejects(sandbox.documents.open('none'), is(NotFoundError, 'not_found'));
  // Opened twice, it is one; closed twice, it is closed.
  const [one, two] = await Promise.all([sandbox.documents.open('a.txt'), sandbox.documents.open('a.txt')]);
  assert.equal(one, two);
  await one.close();
  await two.edit({ from: 4, to: 4, insert: '!' });
  await two.close();
  assert.throws(() => two.edit({ from: 0, to: 0, insert: 'x' }), is(ConnectionLostError, 'closed'));
  const again = await sandbox.documents.open('a.txt');
  assert.equal(again.text, 'text!');
});
