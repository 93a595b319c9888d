// A site of somebody else's, which has pages of the server's in frames: another port and another name, so another site for
// the browser. Owns its listener.

import { once } from 'node:events';
import { createServer } from 'node:http';

export class HostSite {
  #server;
  #pages;

  /** Serves pages by their paths: texts, or functions of the site's own address that make them. */
  static async start(pages) {
    const site = new HostSite();
    site.#pages = pages;
    site.#server = createServer((request, response) => {
      const found = site.#pages[new URL(request.url, 'http://x').pathname];
      response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(typeof found === 'function' ? found(site.origin) : (found ?? ''));
    });
    site.#server.listen(0, '127.0.0.1');
    await once(site.#server, 'listening');
    return site;
  }

  /** Serves one more page, or another one at a path. */
  serve(path, page) {
    this.#pages = { ...this.#pages, [path]: page };
  }

  /** Browsers have every name below `localhost` mean this machine. */
  get origin() {
    return `http://host.localhost:${this.#server.address().port}`;
  }

  is(host) {
    return host.endsWith(`localhost:${this.#server.address().port}`);
  }

  async stop() {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
