// The program under test as a child process: `embedenv try` on a folder of its own. Owns its process and its folder;
// ends both. Never talks to a server that it didn't start.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** How long the program may take until it has printed its link. */
const START = 60_000;
/** How long it may take to end after SIGTERM. */
const END = 10_000;
/** How long it may take to log what a test waits for. */
const SAYS = 30_000;

export class Server {
  #program;
  #folder;
  #child;
  #log = [];
  #errors;
  #env = {};

  /** Starts `program` on a fresh folder and any free port, with settings in its environment. */
  static async start(program, env = {}) {
    const server = new Server();
    server.#env = env;
    server.#program = program;
    server.#folder = await mkdtemp(path.join(os.tmpdir(), 'embedenv-browser-'));
    try {
      await server.#launch('127.0.0.1:0');
    } catch (error) {
      await rm(server.#folder, { recursive: true, force: true });
      throw error;
    }
    return server;
  }

  /** What it logged, for a test that failed. */
  get log() {
    return this.#log.join('\n');
  }

  /** Waits until it has logged a text. */
  async says(text) {
    const limit = AbortSignal.timeout(SAYS);
    while (!this.log.includes(text)) await once(this.#errors, 'line', { signal: limit });
  }

  /** A key pair with some credits, made on the command line as its operator does. */
  async key(credits, ...more) {
    const { stdout } = await promisify(execFile)(
      this.#program,
      ['keys', 'create', '--credits', String(credits), '--json', '--data-dir', this.#folder, ...more],
      { env: settled() },
    );
    return JSON.parse(stdout);
  }

  /** A widget of a new key pair, for pages of one origin. */
  async widget(origin, ...more) {
    const { public_key: key } = await this.key(10);
    const { stdout } = await promisify(execFile)(
      this.#program,
      ['widgets', 'create', '--key', key, '--origin', origin, '--json', '--data-dir', this.#folder, ...more],
      { env: settled() },
    );
    return { ...JSON.parse(stdout), key };
  }

  /** A code by which somebody becomes an operator. */
  async operatorCode() {
    const { stdout } = await promisify(execFile)(this.#program, ['operator', '--data-dir', this.#folder], { env: settled() });
    return /#operator=(\S+)/.exec(stdout)[1];
  }

  /** The credits that a pair has left. */
  async creditsOf(key) {
    const { stdout } = await promisify(execFile)(
      this.#program,
      ['credits', 'show', key, '--data-dir', this.#folder],
      { env: settled() },
    );
    return Number(/\d+/.exec(stdout.replace(key, ''))[0]);
  }

  /** Ends it the way a crash does: nothing of it gets to run any more. */
  async crash() {
    this.#child.kill('SIGKILL');
    await this.#ended();
  }

  /** Stops it where it is: its connections stand, and nothing answers. */
  freeze() {
    this.#child.kill('SIGSTOP');
  }

  /** Has it go on. */
  thaw() {
    this.#child.kill('SIGCONT');
  }

  /** Starts it again where it was: the same port, the same folder. */
  async startAgain() {
    const link = this.link;
    await this.#launch(new URL(link).host);
    if (this.link !== link) throw new Error(`the link was ${link} and is now ${this.link}`);
  }

  async stop() {
    this.thaw();
    this.#child.kill('SIGTERM');
    const slow = setTimeout(() => this.#child.kill('SIGKILL'), END);
    await this.#ended();
    clearTimeout(slow);
    await rm(this.#folder, { recursive: true, force: true });
    if (this.#child.signalCode === 'SIGKILL') throw new Error(`it did not end within ${END} ms of SIGTERM\n${this.log}`);
    if (this.#child.exitCode !== 0) throw new Error(`it ended with ${this.#child.exitCode}\n${this.log}`);
  }

  async #launch(listen) {
    this.#child = spawn(this.#program, ['try', '--listen', listen, '--data-dir', this.#folder], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...settled(), ...this.#env },
    });
    this.#errors = createInterface({ input: this.#child.stderr }).on('line', (line) => this.#log.push(line));
    const lines = createInterface({ input: this.#child.stdout });
    const slow = setTimeout(() => this.#child.kill('SIGKILL'), START);
    for await (const line of lines) {
      this.link = line.match(/http:\/\/\S+\/w#join=\S+/)?.[0];
      if (this.link) break;
    }
    clearTimeout(slow);
    if (!this.link) throw new Error(`it printed no link\n${this.log}`);
  }

  async #ended() {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }
}

/** The environment without what the tests are told by: the program takes `EMBEDENV_…` for settings of its own. */
function settled() {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('EMBEDENV_'));
  return { ...Object.fromEntries(others), EMBEDENV_ENGINE: process.env.EMBEDENV_TEST_ENGINE ?? 'local' };
}
