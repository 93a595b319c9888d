// Commands and terminals: what they print, how they end, what is sent to them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CommandExitError,
  ConflictError,
  ConnectionLostError,
  InvalidArgumentError,
  NotFoundError,
  Sandbox,
  TimeoutError,
} from '../dist/index.js';
import { is, opened, served, TEST, Told } from './harness.mjs';

const { options } = await served();

test('a command runs with its input, folder and variables, and its two outputs are told apart', { timeout: TEST }, async (t) => {
  const { files, commands } = await opened(t, { ...options, envs: { A: 'sandbox', B: 'sandbox' } });
  await files.write('src/in.txt', 'x');
  const [out, err] = [new Told(), new Told()];
  const result = await commands.run('cat; ls; echo $A $B $C; pwd; echo für >&2', {
    stdin: 'fed\n',
    cwd: 'src',
    envs: { B: 'command', C: '$A "c"' },
    onStdout: out.push,
    onStderr: err.push,
  });
  assert.equal(result.stdout, 'fed\nin.txt\nsandbox command $A "c"\n/home/user/main/src\n');
  assert.deepEqual([result.exitCode, result.stderr, result.lostBytes, result.error], [0, 'für\n', 0, undefined]);
  assert.ok(result.elapsedMs >= 0 && result.memoryBytes > 0);
  assert.deepEqual([out.text, err.text], [result.stdout, result.stderr]);
  assert.equal((await commands.run('cat')).stdout, '');
  await assert.rejects(commands.run(' '), is(InvalidArgumentError, 'bad_request'));
  await assert.rejects(commands.run('true', { cwd: '..' }), is(InvalidArgumentError, 'bad_path'));
  assert.deepEqual(await commands.list(), []);
});

test('how a command failed is an error with all that is known', { timeout: TEST }, async (t) => {
  const { commands } = await opened(t, options);
  const failed = (error) => is(CommandExitError, 'command_failed')(error) && error;
  await assert.rejects(commands.run('echo out; echo err >&2; exit 3'), (error) => {
    assert.deepEqual([failed(error).exitCode, error.stdout, error.stderr], [3, 'out\n', 'err\n']);
    return error.message.endsWith('err');
  });
  await assert.rejects(commands.run('kill -SEGV $$'), (error) => failed(error).exitCode === 139 && error.result.signal === 11);
  const slow = commands.run('echo begun; sleep 100', { timeoutMs: 700 });
  await assert.rejects(slow, (error) => is(TimeoutError, 'timed_out')(error) && error.result.stdout === 'begun\n');
  const thrown = new Error('of a callback');
  await assert.rejects(commands.run('echo', { onStdout: () => { throw thrown; } }), thrown);
});

test('a command in the background is fed, listed, left, come back to and ended', { timeout: TEST }, async (t) => {
  const sandbox = await opened(t, options);
  const { commands } = sandbox;
  const told = new Told();
  const script = 'while read line; do echo "got $line"; done; echo end; sleep 100';
  const handle = await commands.run(script, { background: true, stdin: true, onStdout: told.push });
  await handle.sendStdin('one\n');
  await told.until(() => told.text === 'got one\n');
  assert.deepEqual((await commands.list()).map(({ pid, kind, project }) => [pid, kind, project]), [[handle.pid, 'process', 'main']]);
  await assert.rejects(commands.connect(handle.pid), is(ConflictError, 'conflict'));
  await handle.disconnect();
  await assert.rejects(handle.wait(), is(ConnectionLostError, 'closed'));
  await commands.sendStdin(handle.pid, 'two\n'.repeat(2));
  await commands.closeStdin(handle.pid);

  const again = new Told();
  const back = await commands.connect(handle.pid, { onStdout: again.push });
  await again.until(() => again.text === 'got one\ngot two\ngot two\nend\n');
  assert.deepEqual([told.text, back.stdout, back.exitCode], ['got one\n', again.text, undefined]);
  assert.equal(await back.kill(), true);
  await assert.rejects(back.wait(), (error) => error instanceof CommandExitError && error.exitCode === 137);
  assert.deepEqual([await back.kill(), await commands.kill(12345), back.exitCode], [false, false, 137]);
  await assert.rejects(commands.connect(12345), is(NotFoundError, 'not_found'));
});

test('long input and long output come whole, however slowly they are read', { timeout: TEST }, async (t) => {
  const { commands } = await opened(t, options);
  const text = Array.from({ length: 400_000 }, (_, at) => `${at}\n`).join('');
  const { stdout, lostBytes } = await commands.run('cat', { stdin: text });
  assert.ok(stdout === text && lostBytes === 0);
  // It ends without reading what it is given.
  assert.equal((await commands.run('head -c 2', { stdin: text })).stdout, '0\n');
});

test('a terminal is typed into, given another size, seen by others, and closed', { timeout: TEST }, async (t) => {
  const sandbox = await opened(t, options);
  const other = await Sandbox.connect(await sandbox.createJoinKey());
  t.after(() => other.close());
  const [told, seen] = [new Told(), new Told()];
  const shell = await sandbox.pty.create({ cols: 90, rows: 30, cwd: '/home/user/demo', envs: { A: 'für' }, onData: told.push });
  await sandbox.pty.sendInput(shell.pid, 'tty; stty size; echo "$A in $PWD"\n');
  await told.until(() => /\/dev\/pts\/\d+\s+30 90\s+für in \/home\/user\/demo/.test(told.text));
  await sandbox.pty.resize(shell.pid, { cols: 100, rows: 40 });
  await sandbox.pty.sendInput(shell.pid, 'stty size\n');
  await told.until(() => told.text.includes('40 100'));
  const watching = await other.pty.connect(shell.pid, { onData: seen.push });
  await seen.until(() => seen.text.includes('40 100'));
  await sandbox.pty.sendInput(shell.pid, 'exit 3\n');
  await assert.rejects(shell.wait(), (error) => error instanceof CommandExitError && error.exitCode === 3);
  await assert.rejects(watching.wait(), CommandExitError);

  const sleeping = await sandbox.pty.create({ cmd: 'sleep 100' });
  assert.equal(await other.pty.kill(sleeping.pid), true);
  await assert.rejects(sleeping.wait(), is(NotFoundError, 'not_found'));
  await assert.rejects(sandbox.pty.sendInput(sleeping.pid, 'x'), is(NotFoundError, 'not_found'));
});
