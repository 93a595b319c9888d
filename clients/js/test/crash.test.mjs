// The connection breaks, or the server is killed and started again, in the middle of everything: nothing is done twice, nothing
// is lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionLostError, Sandbox } from '../dist/index.js';
import { cuttable, is, opened, served, TEST, Told } from './harness.mjs';

const { server, options } = await served();

test('commands, terminals, documents, uploads and watched folders outlive a killed server', { timeout: TEST }, async (t) => {
  const sandbox = await opened(t, options);
  const { files, commands, pty, documents } = sandbox;
  await files.write('text.txt', 'begun\n');
  await files.makeDir('watched');

  // Prints without a pause, ends after the server is back, and fails then.
  const ticks = new Told();
  const script = 'i=0; while [ ! -e stop ]; do i=$((i+1)); echo $i; echo e$i >&2; sleep 0.01; done; echo last $i; exit 5';
  const ticking = await commands.run(script, { background: true, onStdout: ticks.push });
  // Ends while the server is away.
  const short = await commands.run('read line; echo "read $line"; sleep 0.3; echo done', { background: true, stdin: true });
  const fed = await commands.run('cat > fed.txt', { background: true, stdin: true });
  const typed = new Told();
  const shell = await pty.create({ onData: typed.push });
  await pty.sendInput(shell.pid, 'PS1=; stty -echo; echo ready\n');
  await typed.until(() => /^ready/m.test(typed.text));
  const document = await documents.open('text.txt');
  const events = new Told();
  await files.watchDir('watched', events.push);
  await ticks.until(() => ticks.text.includes('\n20\n'));
  await short.sendStdin('input\n');

  // What is asked for while it dies and while it is away, some of it more than once.
  const bytes = new Uint8Array(6 * 1024 * 1024).map((_, at) => at * 3 + (at >> 11));
  const upload = files.write('long.bin', bytes);
  const asked = [];
  for (let at = 0; at < 30; at += 1) {
    // No more than may run at once.
    if (at % 3 === 1) asked.push(commands.run(`echo ${at} >> log.txt`));
    await pty.sendInput(shell.pid, `echo typed ${at}\n`);
    asked.push(document.edit({ from: document.text.length, to: document.text.length, insert: `line ${at}\n` }));
    asked.push(fed.sendStdin(`fed ${at}\n`));
    if (at === 10) await server.crash();
  }
  asked.push(files.write('watched/new', 'x'), files.read('text.txt'));
  while (sandbox.isConnected) await new Promise(setImmediate);
  await server.startAgain();

  // Of one thing nobody can tell; it alone may fail, and is not done twice.
  const failed = (await Promise.allSettled(asked)).filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
  assert.deepEqual(failed.map(({ code }) => code).filter((code) => code !== 'uncertain'), []);
  assert.ok(failed.length <= 1, String(failed.length));
  await Promise.all([upload, fed.closeStdin()]);
  await fed.wait();
  const whole = async (path, all) => {
    const found = (await files.read(path)).split('\n').slice(0, -1);
    const missing = all.filter((line) => !found.includes(line));
    assert.deepEqual(new Set(found).size, found.length, `${path}: ${found}`);
    assert.ok(missing.length <= failed.length && found.length + missing.length === all.length, `${path}: ${found}`);
  };
  await whole('log.txt', Array.from({ length: 10 }, (_, at) => String(at * 3 + 1)));
  await whole('fed.txt', Array.from({ length: 30 }, (_, at) => `fed ${at}`));
  assert.equal(Buffer.compare(await files.read('long.bin', { format: 'bytes' }), bytes), 0);
  const text = `begun\n${Array.from({ length: 30 }, (_, at) => `line ${at}\n`).join('')}`;
  await document.save();
  assert.deepEqual([document.text, await files.read('text.txt')], [text, text]);
  await events.until((all) => all.some(({ type, name }) => type === 'create' && name === 'new'));

  await pty.sendInput(shell.pid, 'exit\n');
  await shell.wait();
  const lines = typed.text.match(/^typed \d+/gm);
  assert.deepEqual(lines, Array.from({ length: 30 }, (_, at) => `typed ${at}`).filter((line) => lines.includes(line)));
  assert.ok(30 - lines.length + failed.length <= 1, String(lines));
  assert.deepEqual((({ stdout, exitCode }) => [stdout, exitCode])(await short.wait()), ['read input\ndone\n', 0]);

  await files.write('stop', '');
  await assert.rejects(ticking.wait(), (error) => {
    const count = Number(/last (\d+)\n$/.exec(error.stdout)[1]);
    const counted = (prefix) => Array.from({ length: count }, (_, at) => `${prefix}${at + 1}\n`).join('');
    assert.deepEqual([error.exitCode, error.lostBytes], [5, 0]);
    assert.equal(error.stdout, `${counted('')}last ${count}\n`);
    assert.equal(error.stderr, counted('e'));
    return error.stdout === ticks.text;
  });
});

test('a connection that breaks again and again loses nothing, does nothing twice, and fails nothing', { timeout: TEST }, async (t) => {
  const { url, cut } = await cuttable(t, options);
  const sandbox = await opened(t, { ...options, url });
  const { files, commands, pty, documents } = sandbox;
  await files.write('text.txt', '');
  const document = await documents.open('text.txt');
  const fed = await commands.run('cat', { background: true, stdin: true });
  const typed = new Told();
  const shell = await pty.create({ cmd: 'stty -echo; echo ready; cat', onData: typed.push });
  await typed.until(() => typed.text.includes('ready'));
  const numbers = Array.from({ length: 40 }, (_, at) => at);
  const lines = numbers.map((at) => `${at}\n`).join('');
  for (const at of numbers) {
    const end = document.text.length;
    const all = [
      commands.run(`echo ${at} >> log.txt; echo ${at}`),
      commands.run('echo the same at once; echo twice >> same.txt'),
      fed.sendStdin(`${at}\n`),
      pty.sendInput(shell.pid, `${at}\n`),
      document.edit({ from: end, to: end, insert: `${at}\n` }),
      files.write(`${at}.txt`, String(at)),
    ];
    if (at % 4 === 0) {
      // Somewhere between the first of them and the last answer.
      await Promise.race(all);
      cut();
    }
    const [own, same] = await Promise.all(all);
    assert.deepEqual([own.stdout, own.lostBytes, same.stdout], [`${at}\n`, 0, 'the same at once\n']);
  }
  await fed.closeStdin();
  await pty.sendInput(shell.pid, '\x04');
  assert.equal((await fed.wait()).stdout, lines);
  await shell.wait();
  assert.equal(typed.text.replaceAll('\r', ''), `ready\n${lines}`);
  await document.save();
  assert.deepEqual([await files.read('text.txt'), await files.read('log.txt')], [lines, lines]);
  assert.equal(await files.read('same.txt'), 'twice\n'.repeat(numbers.length));
  assert.deepEqual((await files.list('')).filter(({ size }) => size < 3).length, numbers.length);
});

test('who can not come back in time is told so, for everything that was asked', { timeout: TEST }, async (t) => {
  const sandbox = await opened(t, { ...options, reconnectTimeoutMs: 400 });
  const running = await sandbox.commands.run('sleep 100', { background: true });
  const told = new Told();
  sandbox.onClose(told.push);
  await server.crash();
  await assert.rejects(sandbox.files.read('x'), is(ConnectionLostError, 'connection_lost'));
  await assert.rejects(running.wait(), is(ConnectionLostError, 'connection_lost'));
  await told.until(([reason]) => is(ConnectionLostError, 'connection_lost')(reason));
  await server.startAgain();
  const again = await Sandbox.connect(sandbox.sandboxId, options);
  t.after(() => again.close());
  assert.deepEqual((await again.commands.list()).map(({ pid }) => pid), [running.pid]);
});
