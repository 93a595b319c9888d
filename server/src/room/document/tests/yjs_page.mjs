// A page without a browser: the real Yjs, driven line by line on standard input. Each line is a JSON array, a
// command with its arguments; each is answered by one line, what the page now sends and the text it shows.
//
//   node yjs_page.mjs FOLDER    where FOLDER/node_modules has yjs

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.argv[2]}/package.json`);
const Y = require("yjs");
const encoding = require("lib0/encoding");
const decoding = require("lib0/decoding");

const doc = new Y.Doc();
const content = doc.getText("content");
let sent = [];

function send(kind, payload) {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, 0);
  encoding.writeVarUint(encoder, kind);
  encoding.writeVarUint8Array(encoder, payload);
  sent.push(Buffer.from(encoding.toUint8Array(encoder)).toString("hex"));
}

doc.on("update", (update, origin) => {
  if (origin !== "server") send(2, update);
});

const commands = {
  open: () => send(0, Y.encodeStateVector(doc)),
  insert: (at, text) => content.insert(at, text),
  delete: (at, length) => content.delete(at, length),
  take: (message) => {
    const decoder = decoding.createDecoder(Buffer.from(message, "hex"));
    decoding.readVarUint(decoder);
    const kind = decoding.readVarUint(decoder);
    const payload = decoding.readVarUint8Array(decoder);
    if (kind === 0) send(1, Y.encodeStateAsUpdate(doc, payload));
    else Y.applyUpdate(doc, payload, "server");
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...rest] = JSON.parse(line);
  doc.transact(() => commands[command](...rest), command === "take" ? "server" : null);
  console.log(JSON.stringify({ sent, text: content.toString() }));
  sent = [];
}
