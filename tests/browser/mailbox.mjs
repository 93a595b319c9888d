// A mail server that keeps what it is sent (RFC 5321, as much of it as a client needs that trusts it). Owns its listener.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

export class Mailbox {
  #server;
  #mails = [];
  #waiting = [];

  static async start() {
    const mailbox = new Mailbox();
    mailbox.#server = createServer((socket) => void mailbox.#converse(socket));
    mailbox.#server.listen(0, '127.0.0.1');
    await once(mailbox.#server, 'listening');
    // A test that fails is no reason to go on.
    mailbox.#server.unref();
    return mailbox;
  }

  get url() {
    return `smtp://127.0.0.1:${this.#server.address().port}`;
  }

  /** The next mail that nobody has taken yet. */
  async next() {
    return this.#mails.shift() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  stop() {
    this.#server.close();
  }

  async #converse(socket) {
    socket.on('error', () => {});
    const say = (line) => socket.write(`${line}\r\n`);
    say('220 mailbox');
    let text = null;
    for await (const line of createInterface({ input: socket })) {
      if (text !== null) {
        if (line === '.') {
          this.#keep(text);
          text = null;
          say('250 kept');
          // Quoted-printable: a line that goes on in the next one ends in the sign that says so.
        } else text += line.endsWith('=') ? line.slice(0, -1) : `${line}\n`;
      } else if (/^DATA/i.test(line)) {
        text = '';
        say('354 go on');
      } else if (/^QUIT/i.test(line)) {
        say('221 bye');
        socket.end();
      } else say('250 good');
    }
  }

  #keep(text) {
    const mail = text.replaceAll('=3D', '=');
    const waiting = this.#waiting.shift();
    if (waiting) waiting(mail);
    else this.#mails.push(mail);
  }
}
