// The server of Hocuspocus as its documentation starts it, to be measured beside: documents in memory, no extension.

import { Server } from '@hocuspocus/server';

const server = new Server({ address: process.env.HOST, port: Number(process.env.PORT), quiet: true });
await server.listen();
