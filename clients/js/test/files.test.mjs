// Files: paths, what can be done to them, what is told of them, and long ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AlreadyExistsError, FileKindError, InvalidArgumentError, NotFoundError } from '../dist/index.js';
import { is, opened, served, TEST, Told } from './harness.mjs';

const { options } = await served();

test('files are written, read, listed, moved and removed', { timeout: TEST }, async (t) => {
  const { files } = await opened(t, options);
  assert.deepEqual(await files.write('src/hé.txt', 'für\n'), { name: 'hé.txt', type: 'file', path: '/home/user/main/src/hé.txt' });
  assert.equal(await files.read('/home/user/main/./src/hé.txt'), 'für\n');
  const bytes = Uint8Array.of(0, 0xff, 0x66);
  await files.write([{ path: 'a.bin', data: bytes }, { path: 'b.bin', data: new Blob([bytes]) }, { path: 'c.bin', data: bytes.buffer }]);
  for (const name of ['a.bin', 'b.bin', 'c.bin']) assert.deepEqual(await files.read(name, { format: 'bytes' }), bytes, name);
  assert.equal(await files.read('a.bin'), '\0\ufffdf');
  assert.deepEqual(new Uint8Array(await (await files.read('a.bin', { format: 'blob' })).arrayBuffer()), bytes);

  const listed = await files.list('');
  assert.deepEqual(listed.map(({ name, type, size }) => [name, type, size]), [
    ['src', 'dir', 0],
    ['a.bin', 'file', 3],
    ['b.bin', 'file', 3],
    ['c.bin', 'file', 3],
  ]);
  assert.ok(Math.abs(listed[1].modifiedTime - Date.now()) < 60_000);

  assert.equal(await files.makeDir('x/y/z'), true);
  assert.equal(await files.makeDir('x/y/z'), false);
  await assert.rejects(files.makeDir('a.bin'), is(AlreadyExistsError, 'already_exists'));
  assert.deepEqual([(await files.rename('a.bin', 'x/y/d.bin')).path, await files.exists('a.bin')], ['/home/user/main/x/y/d.bin', false]);
  await assert.rejects(files.rename('b.bin', 'c.bin'), is(AlreadyExistsError, 'already_exists'));
  await files.remove('x');
  const there = ['x/y', 'b.bin', 'b.bin/z', '/home/user/main', '/home/user/none'].map((path) => files.exists(path));
  assert.deepEqual(await Promise.all(there), [false, true, false, true, false]);
  assert.equal((await files.getInfo('b.bin')).size, 3);
});

test('a path that is none, and what is not there, say what is wrong', { timeout: TEST }, async (t) => {
  const { files } = await opened(t, { ...options, project: 'lesson' });
  await files.write('a.txt', 'x');
  await files.write('/home/user/other/a.txt', 'y');
  assert.deepEqual([await files.read('/home/user/lesson/a.txt'), await files.read('/home/user/other/a.txt')], ['x', 'y']);
  for (const path of ['../x', '/etc/passwd', '/home/user', '/home/user/lesson', '', 'a\0b', 'n'.repeat(300)]) {
    await assert.rejects(files.read(path), is(InvalidArgumentError, 'bad_path'), path);
  }
  await assert.rejects(files.rename('a.txt', '/home/user/other/b.txt'), is(InvalidArgumentError, 'bad_path'));
  for (const call of ['read', 'list', 'getInfo', 'remove', 'watchDir']) {
    await assert.rejects(files[call]('none', () => {}), is(NotFoundError, 'not_found'), call);
  }
  await files.makeDir('folder');
  await assert.rejects(files.read('folder'), is(FileKindError, 'is_a_folder'));
  await assert.rejects(files.list('a.txt'), is(FileKindError, 'not_a_folder'));
});

test('a watched folder tells what comes, is changed and goes, whoever does it', { timeout: TEST }, async (t) => {
  const sandbox = await opened(t, options);
  const other = await sandbox.constructor.connect(await sandbox.createJoinKey());
  t.after(() => other.close());
  await sandbox.files.write('w/old', '1');
  const [told, more, ends] = [new Told(), new Told(), new Told()];
  const watch = await sandbox.files.watchDir('w', told.push, { onExit: ends.push });
  await sandbox.files.watchDir('/home/user/main/w', more.push, { onExit: ends.push });
  const heard = (type, name) => (all) => all.some((event) => event.type === type && event.name === name);
  await other.files.write('w/new', '1');
  await told.until(heard('create', 'new'));
  await other.files.write('w/old', '22');
  await told.until(heard('write', 'old'));
  await other.files.rename('w/old', 'w/moved');
  await told.until((all) => heard('remove', 'old')(all) && heard('create', 'moved')(all));
  await watch.stop();
  await ends.until(([reason]) => ends.all.length === 1 && reason === undefined);
  const before = told.all.length;
  await other.files.remove('w');
  await ends.until(([, reason]) => reason && is(NotFoundError, 'not_found')(reason));
  assert.equal(told.all.length, before);
  assert.ok(heard('create', 'moved')(more.all));
});

test('long files are sent in pieces and fetched, whole', { timeout: TEST }, async (t) => {
  const { files } = await opened(t, options);
  // Longer than a message may be; the second one than what may wait for a client, which breaks the connection if it is read
  // at once.
  const bytes = new Uint8Array(17 * 1024 * 1024).map((_, at) => at * 7 + (at >> 13));
  await Promise.all([files.write('long.bin', bytes), files.write('long.txt', 'für '.repeat(2_000_000))]);
  assert.deepEqual(Buffer.compare(await files.read('long.bin', { format: 'bytes' }), bytes), 0);
  assert.equal(await files.read('long.txt'), 'für '.repeat(2_000_000));
  let size = 0;
  for await (const piece of await files.read('long.bin', { format: 'stream' })) size += piece.length;
  assert.equal(size, bytes.length);
  await files.write('long.bin', (await files.read('long.txt', { format: 'blob' })).stream());
  assert.equal((await files.getInfo('long.bin')).size, 10_000_000);
  await files.write('empty', new Blob());
  assert.equal(await files.read('empty'), '');
});
