// `/embed.mjs`, and with `host.global.ts` `/embed.js`: the script of a page that embeds sandboxes. Makes the frames and
// speaks with each over a port of its own, which it hands to nobody but the server's page in that frame. Depends on nothing,
// and touches nothing of the page but the elements it is given.

import type { EmbedError, EmbedOptions, Exit, Project, VM, VMEvents } from './embed';
import { type Block, embedBlocks } from './host/blocks';

/** The address of this script, as `build.mjs` fills it in. */
declare const SCRIPT: string;

/** Parameters of the frame's address. */
const PARAMETERS = [
  'file', 'view', 'theme', 'hideExplorer', 'hideNavigation', 'terminalHeight', 'initialpath', 'ctl', 'loading', 'readonly',
  'run', 'port', 'highlights', 'fontsize', 'autofocus', 'screenreader',
] as const;
/** What is said by message alone. */
const LINK = ['join', 'user', 'color', 'project'] as const;
const OTHERS = ['host', 'widget', 'title', 'height', 'width', 'code'] as const;
/** So long after the frame has loaded its page has to say something, in milliseconds: one that may not be framed never does. */
const SILENCE = 20_000;
/** Characters of a program's output that `run` keeps; earlier ones make room. */
const OUTPUT = 1024 * 1024;

const home = new URL(SCRIPT).origin;

type Listener = (event: unknown) => void;

/** The room that blocks of one widget share: its key, or who waits for the one that is opening it. */
interface Shared {
  join?: string;
  opens?: HTMLIFrameElement | undefined;
  waiting: { frame: HTMLIFrameElement; give(join: string): void }[];
}

const rooms = new Map<string, Shared>();

export async function embedProject(element: Element | string, project: Project | Block | null, options: EmbedOptions): Promise<VM> {
  const parent = typeof element === 'string' ? document.querySelector(element) : element;
  if (!parent) throw failure('no_element', `there is no element ${element}`);
  const server = new URL(options.host ?? home, location.href).origin;
  if (location.origin === 'null') throw failure('no_origin', 'a page without an origin can embed nothing');
  const nonce = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const frame = frameOf(server, nonce, project, options);
  const listeners: Partial<Record<string, Set<Listener>>> = {};
  const waiting = new Map<number, { resolve(result: never): void; reject(error: Error): void }>();
  let port: MessagePort | null = null;
  let last = 0;

  // Every folder is watched for who wants to hear of changes, and for nobody else.
  const watch = () => void ask('fs.watch').catch(() => undefined);
  const on = (name: string, listener: Listener) => {
    const set = (listeners[name] ??= new Set());
    set.add(listener);
    if (name === 'change' && set.size === 1) watch();
    return () => void set.delete(listener);
  };
  const emit = (name: string, event: unknown) => {
    for (const listener of [...(listeners[name] ?? [])]) listener(event);
  };
  const ask = <Result>(method: string, args: object = {}) =>
    new Promise<Result>((resolve, reject) => {
      if (!port) return reject(failure('not_ready', 'the sandbox is not there yet, or no longer'));
      waiting.set(++last, { resolve, reject });
      port.postMessage(JSON.stringify({ id: last, method, args }));
    });
  const lose = () => {
    for (const { reject } of waiting.values()) reject(failure('lost', 'the frame is gone, and with it what was asked of it'));
    waiting.clear();
    port?.close();
    port = null;
  };

  const heard = ({ source, origin, data }: MessageEvent) => {
    if (!source || source !== frame.contentWindow || origin !== server) return;
    if (data?.embedenv !== 'hello' || data.nonce !== nonce) return;
    // A frame that was loaded anew begins anew.
    lose();
    const channel = new MessageChannel();
    port = channel.port1;
    port.onmessage = ({ data: text }: MessageEvent<string>) => {
      const { id, result, error, event, data } = JSON.parse(text);
      if (event) return emit(event, data);
      const asked = waiting.get(id);
      waiting.delete(id);
      if (error) asked?.reject(failure(error.code, error.message));
      else asked?.resolve(result as never);
    };
    const hello = JSON.stringify(helloOf(project, options));
    frame.contentWindow?.postMessage({ embedenv: 'port', nonce, hello }, server, [channel.port2]);
    if (listeners['change']) watch();
    emit('hello', null);
  };
  addEventListener('message', heard);

  // The first block that runs opens the room, and the others join it; if nothing comes of that, the next one does.
  const way = `${server} ${options.widget}`;
  const shared = rooms.get(way) ?? { waiting: [] };
  rooms.set(way, shared);
  const give = (join: string) => void ask('room', { join }).catch(() => undefined);
  const next = () => {
    const first = shared.opens === frame && !shared.join ? shared.waiting.shift() : undefined;
    if (shared.opens === frame) shared.opens = first?.frame;
    first?.give('');
  };
  on('room', (event) => {
    const { join } = event as { join?: string };
    if (!project || !('block' in project)) return;
    if (join) {
      shared.join = join;
      for (const { give } of shared.waiting.splice(0)) give(join);
    } else if (shared.join) give(shared.join);
    else if (shared.opens) shared.waiting.push({ frame, give });
    else {
      shared.opens = frame;
      give('');
    }
  });
  on('error', (event) => (event as { fatal?: boolean }).fatal && next());

  const vm: VM = {
    frame,
    on: on as VM['on'],
    applyFsDiff: (diff) => ask('fs.apply', diff),
    getFsSnapshot: () => ask('fs.snapshot'),
    editor: {
      openFile: (path) => ask('editor.open', { files: [path].flat() }),
      setCurrentFile: (file) => ask('editor.current', { file }),
      setTheme: (theme) => ask('editor.theme', { theme }),
      setView: (view) => ask('editor.view', { view }),
    },
    preview: { getUrl: () => ask('preview.url'), setUrl: (url) => ask('preview.go', { url }) },
    async run(command) {
      const { terminal } = await ask<{ terminal: number }>('run', { command });
      let output = '';
      return new Promise((resolve) => {
        const ends = [
          on('stdout', (event) => {
            const printed = event as VMEvents['stdout'];
            if (printed.terminal === terminal) output = (output + printed.text).slice(-OUTPUT);
          }),
          on('exit', (event) => {
            const exit = event as Exit;
            if (exit.terminal !== terminal) return;
            for (const end of ends) end();
            resolve({ ...exit, output });
          }),
        ];
      });
    },
    terminal: {
      write: (text, terminal) => ask('terminal.write', { text, terminal }),
      open: async () => (await ask<{ terminal: number }>('terminal.open')).terminal,
      stop: (terminal) => ask('terminal.stop', { terminal }),
    },
    ports: () => ask('ports'),
    destroy() {
      removeEventListener('message', heard);
      shared.waiting = shared.waiting.filter((waits) => waits.frame !== frame);
      next();
      lose();
      frame.remove();
    },
  };

  return new Promise((resolve, reject) => {
    const ready = on('ready', () => {
      ready();
      failed();
      resolve(vm);
    });
    const failed = on('error', (event) => {
      const { code, message, fatal } = event as VMEvents['error'] & { fatal?: boolean };
      if (fatal) reject(failure(code, message));
    });
    frame.addEventListener('load', () => {
      const silence = setTimeout(() => {
        reject(failure('no_answer', `no page of ${server} is in the frame: it may not be framed here, or is out of reach`));
      }, SILENCE);
      if (port) clearTimeout(silence);
      on('hello', () => clearTimeout(silence));
    });
    parent.replaceChildren(frame);
  });
}

function frameOf(server: string, nonce: string, project: Project | null, options: EmbedOptions): HTMLIFrameElement {
  const query = new URLSearchParams();
  const wanted = { file: Object.keys(project?.files ?? {})[0], ...options };
  for (const name of PARAMETERS) {
    for (const value of [wanted[name] ?? []].flat()) query.append(name, typeof value === 'boolean' ? `${+value}` : `${value}`);
  }
  const way = options.widget ? `/embed/${encodeURIComponent(options.widget)}` : '/embed';
  const frame = document.createElement('iframe');
  frame.src = `${server}${way}?${query}#${new URLSearchParams({ host: location.origin, nonce })}`;
  frame.title = options.title ?? project?.title ?? 'Embedenv';
  frame.allow = `clipboard-read ${server}; clipboard-write ${server}; fullscreen ${server}`;
  if (options.loading === 'lazy') frame.loading = 'lazy';
  const length = (value: number | string) => (/^\d+$/.test(`${value}`) ? `${value}px` : `${value}`);
  Object.assign(frame.style, {
    display: 'block', boxSizing: 'border-box', border: '0', width: length(options.width ?? '100%'), height: length(options.height ?? 480),
  });
  return frame;
}

function helloOf(project: Project | Block | null, options: EmbedOptions) {
  const link = new URLSearchParams();
  for (const name of LINK) if (options[name]) link.set(name, options[name]);
  const files = project?.files;
  const first = [options.file ?? Object.keys(files ?? {})].flat()[0]?.split(',')[0]?.split(':L')[0];
  return { ...project, link: `${link}`, code: options.code ?? (first ? files?.[first] : undefined) };
}

/** Makes every block of a page that is marked so an editor that runs. */
export function embedPage(options: EmbedOptions, root: ParentNode = document): Promise<VM>[] {
  return embedBlocks(embedProject, root, options);
}

function failure(code: string, message: string): EmbedError {
  return Object.assign(new Error(message), { name: 'EmbedError', code });
}

/** Its attributes are the options; one without a value is true. */
class EmbedElement extends HTMLElement {
  vm: Promise<VM> | undefined;

  connectedCallback(): void {
    // One that was moved has its frame, which is loaded anew by itself.
    if (this.vm) return;
    const options: Record<string, string> = {};
    for (const name of [...PARAMETERS, ...LINK, ...OTHERS]) {
      const value = this.getAttribute(name);
      if (value !== null) options[name] = value;
    }
    options.host ??= this.getAttribute('src') ?? home;
    this.style.display ||= 'block';
    this.vm = embedProject(this, null, options as EmbedOptions);
    this.vm.catch((error: EmbedError) => {
      console.error('embed-env:', error.message);
      this.dispatchEvent(new CustomEvent('error', { detail: error }));
    });
  }
}

if (!customElements.get('embed-env')) customElements.define('embed-env', EmbedElement);

export default { embedProject, embedPage };
