// Finishes what trunk built, as its `post_build` hook: lays files out as the server's addresses name them, joins the style
// sheets, shrinks the WebAssembly, tells the page where its script entries are, and puts `.br` and `.gz` beside every file
// that gains from them. Works only inside trunk's staging folder.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { transform } from 'esbuild';
import { isLate } from './early.mjs';
import { split, watched } from './split.mjs';

const brotli = promisify(zlib.brotliCompress);
const gzip = promisify(zlib.gzip);
const run = promisify(execFile);

/** Kinds of files that compress; the page itself is not among them, since each response carries its own nonce. */
const compressible = new Set(['.js', '.mjs', '.css', '.wasm', '.svg', '.json', '.txt', '.map', '.webmanifest']);

/** Style sheets of what is drawn only once the page is whole, and which no sheet before them relies on. */
const LATE = ['configurations', 'views', 'search', 'transfers', 'preview', 'chat', 'people', 'dialogs', 'settings', 'help'];

const staging = process.env.TRUNK_STAGING_DIR;
if (!staging) throw new Error('TRUNK_STAGING_DIR is not set: this script is run by `trunk build`');
const page = path.join(staging, 'index.html');
const consolePage = path.join(staging, 'console.html');

await moveAssets();
await makeConsole();
await moveForHosts();
const isParted = process.env.TRUNK_PROFILE === 'release' && !process.env.EMBEDENV_WATCH;
const lateSheet = await joinStyles(isParted);
if (process.env.EMBEDENV_WATCH) await watch();
else if (isParted) await optimise(lateSheet);
await nameEntries();
await nameLanguages(fileURLToPath(new URL('../words/', import.meta.url)), 'words', page);
for (const html of [page, consolePage]) await writeFile(html, tightened(await readFile(html, 'utf8')));
if (process.env.TRUNK_PROFILE === 'release') await compressAll();

/** trunk writes its files flat; their addresses begin with `/assets/`, so they move to a folder of that name. */
async function moveAssets() {
  await mkdir(path.join(staging, 'assets'), { recursive: true });
  for (const entry of await readdir(staging, { withFileTypes: true })) {
    if (entry.isFile() && entry.name !== 'index.html') {
      await rename(path.join(staging, entry.name), path.join(staging, 'assets', entry.name));
    }
  }
}

/** What pages of others load has an address of its own, beside the page's. */
async function moveForHosts() {
  for (const name of ['embed.js', 'embed.mjs', 'embed.d.ts']) {
    await rename(path.join(staging, 'js', name), path.join(staging, name));
  }
}

/**
 * Parts the page's WebAssembly into what is needed at once and what is not, and shrinks both. Not by trunk's own
 * `data-wasm-opt`, which wants a native `wasm-opt`: npm's is a script. The files are named anew, by what they now hold.
 */
async function optimise(sheet) {
  const { wasm, script } = await ours();
  const halves = split(await readFile(wasm), isLate);
  const [early, late] = await Promise.all([shrunk(`${wasm}.early`, halves.early), shrunk(`${wasm}.late`, halves.late)]);
  const address = await placed(late, 'embedenv-late', '.wasm');
  const glue = await readFile(fileURLToPath(new URL('late.js', import.meta.url)), 'utf8');
  const joined = replaced(await readFile(script, 'utf8'), [
    ['    return {\n        __proto__: null,\n', '    return late.imports = {\n        __proto__: null,\n        split: { load: late.load },\n'],
    ['    wasm.__wbindgen_start();\n', '    late.begins(wasm);\n    wasm.__wbindgen_start();\n'],
  ]);
  const whole = glue.replace('LATE', () => path.basename(address)).replace('SHEET', () => path.basename(sheet)) + joined;
  const named = whole.replaceAll(/\b__wb\w+/g, (name) => halves.names.get(name) ?? name);
  await renamed(script, await placed((await transform(named, { minify: true })).code, 'embedenv-web', '.js'));
  await renamed(wasm, await placed(early, 'embedenv-web', '_bg.wasm'));
}

/** Instead of that: each function says that it ran, for `cargo xtask early`. */
async function watch() {
  const { wasm, script } = await ours();
  const { watching, names } = watched(await readFile(wasm));
  await writeFile(wasm, watching);
  await writeFile(path.join(staging, 'names.json'), JSON.stringify(names));
  const joined = replaced(await readFile(script, 'utf8'), [
    ['    return {\n        __proto__: null,\n', '    return {\n        __proto__: null,\n        split: { ran: (number) => embedenvRan.add(number) },\n'],
  ]);
  await writeFile(script, `const embedenvRan = globalThis.embedenvRan = new Set();\nglobalThis.embedenvWhole = new Promise(() => {});\n${joined}`);
}

/** What trunk left: the WebAssembly, and wasm-bindgen's script for it. */
async function ours() {
  const files = await readdir(path.join(staging, 'assets'));
  const find = (end) => {
    const name = files.find((file) => file.startsWith('embedenv-web') && file.endsWith(end));
    if (!name) throw new Error(`trunk left no embedenv-web…${end}`);
    return path.join(staging, 'assets', name);
  };
  return { wasm: find('_bg.wasm'), script: find('.js') };
}

async function shrunk(file, bytes) {
  await writeFile(file, bytes);
  const tool = fileURLToPath(new URL('node_modules/binaryen/bin/wasm-opt', import.meta.url));
  // What rustc's wasm32-unknown-unknown and wasm-bindgen use, and every browser of the last years has.
  const features = ['bulk-memory', 'nontrapping-float-to-int', 'sign-ext', 'mutable-globals', 'reference-types', 'multivalue'];
  // How memory is aligned is a hint that costs more than it gives.
  const passes = ['-Oz', '--converge', '--dealign'];
  await run(process.execPath, [tool, ...passes, ...features.map((feature) => `--enable-${feature}`), file, '-o', `${file}.opt`]);
  const small = await readFile(`${file}.opt`);
  await Promise.all([rm(file), rm(`${file}.opt`)]);
  return small;
}

/** Writes a file under a name that has its content's hash in it; where it is. */
async function placed(content, name, end) {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
  const file = path.join(staging, 'assets', `${name}-${hash}${end}`);
  await writeFile(file, content);
  return file;
}

/** A file has another name now. */
async function renamed(from, to) {
  if (from !== to) await rm(from);
  const html = await readFile(page, 'utf8');
  await writeFile(page, html.replaceAll(path.basename(from), () => path.basename(to)));
}

/** Each text is there once, and is another one then. */
function replaced(text, pairs) {
  return pairs.reduce((text, [from, to]) => {
    if (text.split(from).length !== 2) throw new Error(`wasm-bindgen's script is not as it was: ${from}`);
    return text.replace(from, () => to);
  }, text);
}

/**
 * Makes one file of the page's style sheets, in their order: one request instead of one for each concern. Those of the late
 * half, if the page is parted, are another, whose address is returned.
 */
async function joinStyles(isParted) {
  const html = await readFile(page, 'utf8');
  const link = /\s*<link rel="stylesheet" href="\/(assets\/[^"]+\.css)"[^>]*>/g;
  const files = [...html.matchAll(link)].map(([, name]) => path.join(staging, name));
  if (files.length === 0) throw new Error('static/index.html has lost its style sheets');
  const isLate = (file) => isParted && LATE.some((name) => path.basename(file).startsWith(`${name}-`));
  const join = async (some) => {
    const sheets = await Promise.all(some.map((file) => readFile(file, 'utf8')));
    return (await transform(sheets.join('\n'), { loader: 'css', minify: true })).code;
  };
  const late = files.filter(isLate);
  if (isParted && late.length !== LATE.length) throw new Error(`some of the late style sheets are not there: ${LATE}`);
  const early = await join(files.filter((file) => !isLate(file)));
  const name = path.relative(staging, await placed(early, 'page', '.css'));
  const address = late.length > 0 ? await placed(await join(late), 'page-late', '.css') : null;
  await Promise.all(files.map((file) => rm(file)));
  let isLinked = false;
  const joined = html.replace(link, () => {
    if (isLinked) return '';
    isLinked = true;
    return `<link rel="stylesheet" href="/${name}">`;
  });
  await writeFile(page, joined);
  return address;
}

/** Fills `<meta name="embedenv-js">` with the entries' addresses and preloads what the editor needs. */
async function nameEntries() {
  const file = path.join(staging, 'js', 'manifest.json');
  const { entries, loads } = JSON.parse(await readFile(file, 'utf8'));
  await rm(file);
  const html = await readFile(page, 'utf8');
  const meta = /<meta name="embedenv-js"[^>]*>/;
  if (!meta.test(html)) throw new Error('static/index.html has lost its <meta name="embedenv-js">');
  const preloads = loads.editor.map((url) => `<link rel="modulepreload" href="${url}">`).join('');
  const filled = `<meta name="embedenv-js" content='${JSON.stringify(entries)}'>${preloads}`;
  await writeFile(page, html.replace(meta, () => filled));
}

/**
 * Fills `<meta name="embedenv-words">` of a page: a file of the folder is a language that can be chosen. English is in the page.
 */
async function nameLanguages(folder, prefix, page) {
  const languages = {};
  for (const file of (await readdir(folder)).sort()) {
    const code = path.basename(file, '.txt');
    if (code === 'en' || code === file) continue;
    const words = await readFile(path.join(folder, file), 'utf8');
    const name = words.match(/^language\.name\s*=\s*(.+)$/m)?.[1].trim();
    if (!name) throw new Error(`${file} of ${prefix} has no language.name`);
    const url = `assets/${prefix}-${code}-${createHash('sha256').update(words).digest('hex').slice(0, 16)}.txt`;
    await writeFile(path.join(staging, url), words);
    languages[code] = { name, url: `/${url}` };
  }
  const html = await readFile(page, 'utf8');
  const meta = /<meta name="embedenv-words"[^>]*>/;
  if (!meta.test(html)) throw new Error(`${path.basename(page)} has lost its <meta name="embedenv-words">`);
  const listed = JSON.stringify(languages).replaceAll("'", '&#39;');
  await writeFile(page, html.replace(meta, () => `<meta name="embedenv-words" content='${listed}'>`));
}

/** Makes the console's page from its program, which trunk left beside the other one, and from style sheets of its own. */
async function makeConsole() {
  const of = (name) => path.join(staging, 'assets', name);
  const wasm = of('embedenv-console_bg.wasm');
  const small = process.env.TRUNK_PROFILE === 'release' ? await shrunk(wasm, await readFile(wasm)) : await readFile(wasm);
  const script = await readFile(of('embedenv-console.js'), 'utf8');
  const styles = new URL('../../static/styles/', import.meta.url);
  const sheets = await Promise.all(['theme', 'base', 'console'].map((name) => readFile(new URL(`${name}.css`, styles), 'utf8')));
  const sheet = (await transform(sheets.join('\n'), { loader: 'css', minify: true })).code;
  const address = async (...file) => `/${path.relative(staging, await placed(...file))}`;
  const places = {
    WASM: await address(small, 'console', '.wasm'),
    SCRIPT: await address((await transform(script, { minify: true })).code, 'console', '.js'),
    SHEET: await address(sheet, 'console', '.css'),
  };
  await Promise.all(['embedenv-console.js', 'embedenv-console_bg.wasm'].map((name) => rm(of(name), { force: true })));
  let html = await readFile(new URL('../../static/console.html', import.meta.url), 'utf8');
  for (const [name, place] of Object.entries(places)) html = html.replaceAll(name, place);
  await writeFile(consolePage, html);
  await nameLanguages(fileURLToPath(new URL('../words/console/', import.meta.url)), 'console-words', consolePage);
}

/** A page without what is for those who read its source: each answer is sent as it is. */
function tightened(html) {
  return html.replaceAll(/<!--[^]*?-->/g, '').replaceAll(/\n\s*/g, '\n');
}

async function compressAll() {
  const files = (await readdir(staging, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && compressible.has(path.extname(entry.name)))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
  await Promise.all(files.map(compress));
}

async function compress(file) {
  const raw = await readFile(file);
  const params = {
    [zlib.constants.BROTLI_PARAM_QUALITY]: zlib.constants.BROTLI_MAX_QUALITY,
    [zlib.constants.BROTLI_PARAM_LGWIN]: zlib.constants.BROTLI_MAX_WINDOW_BITS,
    [zlib.constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
  };
  const [br, gz] = await Promise.all([brotli(raw, { params }), gzip(raw, { level: 9 })]);
  if (br.length < raw.length) await writeFile(`${file}.br`, br);
  if (gz.length < raw.length) await writeFile(`${file}.gz`, gz);
}
