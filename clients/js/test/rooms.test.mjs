// Sandboxes from outside: opened, found, shared and ended over REST, and joined with keys.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AuthenticationError,
  ConnectionLostError,
  ForbiddenError,
  InvalidArgumentError,
  NotFoundError,
  QuotaExceededError,
  RoomEndedError,
  Sandbox,
  UnavailableError,
} from '../dist/index.js';
import { is, opened, served, TEST, Told } from './harness.mjs';

const { server, options } = await served(8);

test('a sandbox is found by its metadata, given another end, joined by its id, and ended', { timeout: TEST }, async (t) => {
  const sandbox = await opened(t, { ...options, metadata: { course: 'js', lesson: '7' }, timeoutMs: 3_600_000 });
  await opened(t, { ...options, metadata: { course: 'js' } });
  const pages = Sandbox.list({ ...options, query: { metadata: { lesson: '7', course: 'js' } }, limit: 1 });
  const [found, ...others] = await pages.nextItems();
  assert.deepEqual([found.sandboxId, others.length, found.metadata], [sandbox.sandboxId, 0, { course: 'js', lesson: '7' }]);
  assert.ok(found.endAt > Date.now() + 3_000_000 && found.startedAt <= Date.now());

  await sandbox.setTimeout(60_000);
  const soon = (await sandbox.getInfo()).endAt - Date.now();
  assert.ok(soon > 30_000 && soon <= 61_000, String(soon));
  await Sandbox.setTimeout(sandbox.sandboxId, null, options);
  assert.equal((await Sandbox.getInfo(sandbox.sandboxId, options)).endAt, undefined);

  const other = await Sandbox.connect(sandbox.sandboxId, options);
  assert.deepEqual([other.sandboxId, other.role], [sandbox.sandboxId, 'owner']);
  const told = new Told();
  other.onClose(told.push);
  assert.equal(await sandbox.kill(), true);
  await told.until(([reason]) => is(RoomEndedError, 'room_ended')(reason));
  await assert.rejects(other.files.read('x'), is(RoomEndedError, 'room_ended'));
  await assert.rejects(sandbox.files.read('x'), is(RoomEndedError, 'room_ended'));
  assert.equal(await Sandbox.kill(sandbox.sandboxId, options), false);
  await assert.rejects(Sandbox.connect(sandbox.sandboxId, options), is(NotFoundError, 'not_found'));
});

test('a backend opens a room with files in one call, and a browser joins it with what it is handed', { timeout: TEST }, async () => {
  const room = JSON.parse(JSON.stringify(await Sandbox.openRoom({ ...options, files: { 'src/a.txt': 'from the backend' } })));
  assert.deepEqual(Object.keys(room), ['sandboxId', 'url', 'join', 'role', 'shareUrl']);
  assert.ok(room.shareUrl.startsWith(`${options.url}/w#join=`) && room.shareUrl.endsWith(room.join));
  const guest = await Sandbox.connect({ ...room, user: 'Guest' });
  assert.equal(guest.role, 'editor');
  assert.equal(await guest.files.read('src/a.txt'), 'from the backend');
  await assert.rejects(guest.kill(), is(AuthenticationError, 'no_key_pair'));
  guest.close();
  await assert.rejects(guest.files.read('src/a.txt'), is(ConnectionLostError, 'closed'));
});

test('a join key grants its role for its uses, and who came by it is sent away when it is revoked', { timeout: TEST }, async (t) => {
  const sandbox = await opened(t, options);
  await sandbox.files.write('a.txt', 'seen');
  const key = await sandbox.createJoinKey({ role: 'viewer', ttl: 60, uses: 1 });
  assert.ok(key.expiresAt > Date.now() && key.uses === 1 && key.role === 'viewer');
  const viewer = await Sandbox.connect(key);
  assert.equal(await viewer.files.read('a.txt'), 'seen');
  await assert.rejects(viewer.files.write('a.txt', 'changed'), is(ForbiddenError, 'forbidden'));
  await assert.rejects(viewer.createJoinKey(), is(ForbiddenError, 'forbidden'));
  await assert.rejects(Sandbox.connect(key), is(AuthenticationError, 'unknown_join_key'));
  const told = new Told();
  viewer.onClose(told.push);
  await sandbox.revokeJoinKey(key.number);
  await told.until(([reason]) => is(AuthenticationError, 'unknown_join_key')(reason));
  assert.match(await sandbox.shareUrl({ role: 'viewer' }), /\/w#join=[\w-]+$/);
});

test('what opens nothing says why, and the same room is opened once', { timeout: TEST }, async (t) => {
  await assert.rejects(Sandbox.create({ ...options, secretKey: 'wrong' }), is(AuthenticationError, 'bad_credentials'));
  await assert.rejects(Sandbox.create('nowhere', options), is(NotFoundError, 'unknown_space'));
  await assert.rejects(Sandbox.create({ url: options.url }), is(AuthenticationError, 'no_key_pair'));
  await assert.rejects(Sandbox.create({ ...options, url: 'ide.example.com' }), is(InvalidArgumentError, 'bad_request'));
  await assert.rejects(Sandbox.create({ ...options, timeoutMs: 0.5 }), is(InvalidArgumentError, 'bad_request'));
  await assert.rejects(Sandbox.connect({ url: options.url, join: 'wrong' }), is(AuthenticationError, 'unknown_join_key'));
  await assert.rejects(Sandbox.connect({ url: 'http://127.0.0.1:1', join: 'x' }), is(UnavailableError, 'unreachable'));

  const { public_key: publicKey, secret_key: secretKey } = await server.key(1);
  const poor = { ...options, publicKey, secretKey, idempotencyKey: 'lesson-7' };
  const [one, other] = await Promise.all([opened(t, poor), opened(t, poor)]);
  assert.equal(one.sandboxId, other.sandboxId);
  await assert.rejects(Sandbox.create({ ...poor, idempotencyKey: 'lesson-8' }), is(QuotaExceededError, 'no_credits'));
});

test('a port is seen by anybody at its host, until it is closed', { timeout: TEST }, async (t) => {
  const sandbox = await opened(t, options);
  await sandbox.files.write('index.html', 'served');
  const served = new Told();
  const server = await sandbox.pty.create({ cmd: 'python3 -m http.server 8000', onData: served.push });
  await served.until(() => served.text.includes('Serving HTTP'));
  const host = await sandbox.getHost(8000);
  const [, port] = options.url.match(/:(\d+)$/);
  assert.equal(host, `8000-${sandbox.sandboxId}.localhost:${port}`);
  // Names of localhost are resolved by browsers alone.
  const seen = () => new Promise((resolve, reject) => {
    import('node:http').then(({ get }) => {
      get({ host: '127.0.0.1', port, path: '/', headers: { host } }, (answer) => {
        answer.setEncoding('utf8').reduce((text, part) => text + part, '').then((text) => resolve([answer.statusCode, text]), reject);
      }).on('error', reject);
    });
  });
  assert.deepEqual(await seen(), [200, 'served']);
  await sandbox.closePort(8000);
  assert.notEqual((await seen())[0], 200);
  assert.equal(await server.kill(), true);
});
