// Programs as users of the package write them, which a test has compiled, and nothing runs.

import { CommandExitError, type CommandResult, type OpenedRoom, Sandbox } from '../dist/index.js';

export async function use(room: OpenedRoom): Promise<unknown[]> {
  const sandbox = await Sandbox.create('default', { timeoutMs: 60_000, metadata: { course: 'js' }, envs: { A: 'b' } });
  const result: CommandResult = await sandbox.commands.run('make', { onStdout: (text) => void text.length, cwd: 'src' });
  const handle = await sandbox.commands.run('make', { background: true, stdin: true });
  await handle.sendStdin('x');
  const code: number | undefined = handle.exitCode;
  const text: string = await sandbox.files.read('a.txt');
  const bytes: Uint8Array = await sandbox.files.read('a.txt', { format: 'bytes' });
  await sandbox.files.write([{ path: 'b.bin', data: bytes }, { path: 'c.txt', data: new Blob([text]) }]);
  const [found] = await Sandbox.list({ query: { metadata: { course: 'js' } } }).nextItems();
  const guest = await Sandbox.connect({ ...room, user: 'Ada' });
  const document = await guest.documents.open('a.txt');
  document.onChange(({ edits, isRemote }) => isRemote && edits.map(({ from, insert }) => [from, insert]));
  await sandbox.pty.create({ onData: (data) => void data.byteLength });
  try {
    await sandbox.kill();
  } catch (error) {
    if (error instanceof CommandExitError) return [error.exitCode, error.stderr, error.result.memoryBytes];
    throw error;
  }
  return [result, code, found?.endAt?.getTime(), await Sandbox.connect(room)];
}
