// Builds the public pages into a folder: `node build.mjs OUT PAGE`, where PAGE is the IDE's `index.html`, which knows where its
// scripts are. What lands in OUT mirrors the server's addresses (`server/src/http/assets/public.rs`):
//
//   live/NAME.html       filled in for each answer: /, /playground, /docs/steps
//   docs/NAME.html       /docs/NAME, sent as it is
//   NAME-HASH.EXT        /site/NAME-HASH.EXT, kept for good
//   data/templates.json  /playground/templates.json
//
// with NAME.br and NAME.gz beside each file that gains from them.

import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { build, transform } from 'esbuild';
import { guide, page } from './frame.mjs';
import { escaped, highlighted } from './highlight.mjs';
import { headingsOf, rendered } from './markdown.mjs';
import { addressOf, arranged } from './pages.mjs';
import { templates } from './templates.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const top = path.dirname(here);
const brotli = promisify(zlib.brotliCompress);
const gzip = promisify(zlib.gzip);

/** What each kind of page runs. */
const ENTRIES = { landing: 'src/landing.ts', playground: 'src/playground.ts', guide: 'src/guide.ts', steps: 'src/steps.ts' };
/** Folders that are no part of the repository. */
const SKIPPED = new Set(['.git', 'target', 'node_modules', 'dist', '__pycache__', '.venv']);

/** Everything that is in OUT afterwards: texts and bytes by their names. */
export async function made(idePage) {
  const files = new Map();
  const hashed = (name, end, content) => {
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
    files.set(`${name}-${hash}${end}`, content);
    return `/site/${name}-${hash}${end}`;
  };
  const repository = await listed(top);
  const pictures = await picturesOf(repository, hashed);
  const sections = arranged(repository);
  const pages = sections.flatMap(({ pages }) => pages);
  const texts = new Map(await Promise.all(pages.map(async ({ file }) => [file, await readFile(path.join(top, file), 'utf8')])));
  const anchors = new Map(pages.map(({ file }) => [file, new Set(headingsOf(texts.get(file)).map(({ anchor }) => anchor))]));
  const site = { pages, files: new Set(repository), pictures, anchors };

  for (const each of pages) each.title ??= headingsOf(texts.get(each.file))[0]?.title ?? each.slug;
  const done = new Map(pages.map((each) => [each, rendered(texts.get(each.file), each.file, site)]));
  const index = pages.flatMap((each) =>
    done.get(each).pieces.map(({ title, anchor, text }) => ({
      page: each.title,
      title,
      href: anchor ? `${addressOf(each)}#${anchor}` : addressOf(each),
      text,
    })),
  );
  const search = hashed('search', '.json', JSON.stringify(index));
  const sheet = hashed('site', '.css', await styles());
  const scripts = await bundled(files);
  const editor = editorOf(idePage);

  for (const each of pages) {
    const { html, outline, description } = done.get(each);
    const body = guide({ sections, current: each, html, outline });
    const common = { title: `${each.title} · Embedenv`, description, here: 'docs', body, sheet, search };
    if (each.live) {
      files.set(`live/docs-${each.slug}.html`, page({ ...common, live: true, scripts: [scripts.guide, scripts.steps] }));
    } else {
      files.set(`docs/${each.slug || 'index'}.html`, page({ ...common, scripts: [scripts.guide] }));
    }
  }
  const all = await templates(path.join(top, 'templates'));
  files.set('data/templates.json', JSON.stringify(all));
  const picture = (name) => pictures.get(`docs/pictures/${name}.png`).url;
  const landing = (await fragment('landing')).replaceAll(/\{picture ([\w-]+)\}/g, (_, name) => picture(name));
  files.set(
    'live/index.html',
    page({
      title: 'Embedenv: code that runs, in any page',
      description: 'A file tree, an editor and a terminal in any web page, on a sandbox that really runs code. One program, on hardware of yours.',
      here: '', body: landing, sheet, scripts: [scripts.landing], live: true, editor, className: 'landing',
    }),
  );
  files.set(
    'live/playground.html',
    page({
      title: 'Playground · Embedenv',
      description: 'Choose a template, and a room of your own opens with it: files, an editor, a terminal, on a real sandbox.',
      here: 'playground', body: (await fragment('playground')).replace('{templates}', () => all.map(card).join('\n')),
      sheet, scripts: [scripts.playground], live: true, className: 'playground',
    }),
  );
  return files;
}

function card({ name, title, about, mark, needs, port, run }) {
  const serves = port ? `<span>port ${port}</span>` : '';
  const wants = needs.length > 0 ? `<span>needs ${escaped(needs.map(({ name }) => name).join(', '))}</span>` : '';
  return `<li class="card" id="${name}" data-template="${name}">
  <span class="mark" aria-hidden="true">${escaped(mark)}</span>
  <h2><button type="button" class="card-open">${escaped(title)}</button></h2>
  <p>${escaped(about)}</p>
  <p class="card-run"><code>${escaped(run)}</code></p>
  <p class="card-facts">${wants}${serves}</p>
  <p class="card-said" role="status"></p>
</li>`;
}

/** A page's own markup; its code blocks are coloured. */
async function fragment(name) {
  const html = await readFile(path.join(here, 'pages', `${name}.html`), 'utf8');
  const code = /<pre data-language="(\w+)">([^]*?)<\/pre>/g;
  const plain = (text) => text.trim().replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  return html.replaceAll(code, (_, language, text) => `<pre tabindex="0"><code>${highlighted(plain(text), language)}</code></pre>`);
}

async function listed(folder, prefix = '') {
  const found = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (SKIPPED.has(entry.name)) continue;
    if (entry.isDirectory()) found.push(...(await listed(path.join(folder, entry.name), `${prefix}${entry.name}/`)));
    else found.push(`${prefix}${entry.name}`);
  }
  return found.sort();
}

async function picturesOf(repository, hashed) {
  const found = new Map();
  for (const file of repository.filter((file) => /^docs\/pictures\/[\w-]+\.png$/.test(file))) {
    const bytes = await readFile(path.join(top, file));
    // The header of a PNG: its size stands behind the name of its first chunk.
    const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
    found.set(file, { url: hashed(path.basename(file, '.png'), '.png', bytes), width, height });
  }
  return found;
}

/** The page's colours are the IDE's. */
async function styles() {
  const theme = await readFile(path.join(top, 'static/styles/theme.css'), 'utf8');
  const own = await Promise.all((await readdir(path.join(here, 'styles'))).sort().map((name) => readFile(path.join(here, 'styles', name), 'utf8')));
  // What the terminal alone has is of no use here.
  const colours = theme.replaceAll(/^@property .*$/gm, '');
  return (await transform([colours, ...own].join('\n'), { loader: 'css', minify: true, target: ['es2022'] })).code;
}

async function bundled(files) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: here,
    entryPoints: ENTRIES,
    outdir: 'dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: ['es2022'],
    minify: true,
    legalComments: 'none',
    charset: 'utf8',
    entryNames: '[name]-[hash]',
    chunkNames: 'chunk-[hash]',
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  for (const { path: file, contents } of outputFiles) files.set(path.basename(file), contents);
  const entries = Object.entries(metafile.outputs).filter(([, { entryPoint }]) => entryPoint);
  const find = (source) => path.basename(entries.find(([, { entryPoint }]) => entryPoint === source)[0]);
  return Object.fromEntries(Object.entries(ENTRIES).map(([name, source]) => [name, `/site/${find(source)}`]));
}

/** The module of the IDE's that edits a text on its own. */
function editorOf(html) {
  const entries = html.match(/<meta name="embedenv-js" content='([^']*)'>/)?.[1];
  const { poster } = JSON.parse(entries ?? '{}');
  if (!poster) throw new Error('the IDE’s page names no poster: build it first');
  return poster;
}

async function write(out, files) {
  await rm(out, { recursive: true, force: true });
  for (const name of ['live', 'docs', 'data']) await mkdir(path.join(out, name), { recursive: true });
  await Promise.all([...files].map(([name, content]) => put(path.join(out, name), Buffer.from(content), name)));
}

async function put(file, raw, name) {
  await writeFile(file, raw);
  // A live page is another text with each answer; pictures are as small as they get.
  if (name.startsWith('live/') || name.endsWith('.png')) return;
  const params = {
    [zlib.constants.BROTLI_PARAM_QUALITY]: zlib.constants.BROTLI_MAX_QUALITY,
    [zlib.constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
  };
  const [br, gz] = await Promise.all([brotli(raw, { params }), gzip(raw, { level: 9 })]);
  if (br.length < raw.length) await writeFile(`${file}.br`, br);
  if (gz.length < raw.length) await writeFile(`${file}.gz`, gz);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , out, idePage] = process.argv;
  if (!out || !idePage) throw new Error('usage: node build.mjs OUT PAGE');
  const files = await made(await readFile(idePage, 'utf8'));
  await write(out, files);
  console.log(`${files.size} files`);
}
