// Types of `/embed.js` and `/embed.mjs`: what a page does with the sandboxes that it embeds.

/** Files of the project by their paths, as texts. */
export type Files = Record<string, string>;

export type View = 'default' | 'editor' | 'preview' | 'both' | 'terminal' | 'split';

export type Theme = 'system' | 'light' | 'dark' | 'contrast-dark' | 'contrast-light' | 'harbour' | 'paper';

/** What an embed is to be. Those of its address have the names of the address. */
export interface EmbedOptions {
  /** The server; that of the script by default. */
  host?: string;
  /** The key of a room, from your backend. It goes to the frame by message and is in no address. */
  join?: string;
  /** The id of a widget, instead of a key. */
  widget?: string;
  /** What the others in the room see. */
  user?: string;
  color?: string;
  /** The project of the room that is shown. */
  project?: string;
  /** What the frame is called for those who can't see it. */
  title?: string;
  /** CSS pixels, or any length of CSS. */
  height?: number | string;
  width?: number | string;
  /** Paths: with commas between them tabs, several texts panes beside each other. `main.py:L5-L9` shows those lines. */
  file?: string | string[];
  view?: View;
  theme?: Theme;
  hideExplorer?: boolean;
  hideNavigation?: boolean;
  /** Of the frame's height, in hundredths. */
  terminalHeight?: number;
  /** The address in the preview at first. */
  initialpath?: string;
  /** Click to load: a poster comes first, and the sandbox sleeps. */
  ctl?: boolean;
  loading?: 'eager' | 'lazy' | 'click';
  readonly?: boolean;
  /** A command line, or a file, that is run once. */
  run?: string;
  port?: number;
  /** Lines of the first file, such as `3,5-7`. */
  highlights?: string;
  fontsize?: number;
  autofocus?: boolean;
  /** What terminals say stands in the page as text. */
  screenreader?: boolean;
  /** What the poster shows. By default the first file, if the project has it. */
  code?: string;
}

/** What is written into the room once it is there. */
export interface Project {
  title?: string;
  files?: Files;
}

export interface FsDiff {
  create?: Files;
  destroy?: string[];
}

/** How a program has ended. One of `code` and `signal` is there. */
export interface Exit {
  terminal: number;
  code: number | null;
  signal: number | null;
}

export interface Port {
  port: number;
  program: string | null;
}

export interface VMEvents {
  /** The room is joined, and its files are there; after a reload of the frame once more. */
  ready: { role: 'viewer' | 'editor' | 'owner'; project: string };
  /**
   * Entries of a folder have changed on disk; without names, any of them. Told of all folders, the 200 nearest to the
   * project's own, but for hidden ones and those that tools fill, `node_modules`, `target` and `__pycache__`.
   */
  change: { folder: string; names: string[] };
  /** A program that was run in this frame has printed something, as a terminal gets it. */
  stdout: { terminal: number; text: string };
  exit: Exit;
  /** A port is listened on, or no longer. */
  port: { port: number; open: boolean };
  /** Who is in the room. */
  participant: { people: { user: string; color: string }[] };
  error: { code: string; message: string };
}

/** What was asked for could not be done. `code` is stable, and one of the server's or of docs/embedding.md. */
export interface EmbedError extends Error {
  code: string;
}

/** An embedded sandbox. What is asked of it fails with an {@link EmbedError}. */
export interface VM {
  readonly frame: HTMLIFrameElement;
  applyFsDiff(diff: FsDiff): Promise<void>;
  /** Every text of the project; other files are left out. */
  getFsSnapshot(): Promise<Files>;
  readonly editor: {
    openFile(path: string | string[]): Promise<void>;
    /** Shows a file that is open. */
    setCurrentFile(path: string): Promise<void>;
    setTheme(theme: Theme): Promise<void>;
    setView(view: View): Promise<void>;
  };
  readonly preview: {
    /** Where the preview is; `null` while there is none. */
    getUrl(): Promise<string | null>;
    /** Shows a path, such as `/about`, or a port with a path, such as `http://localhost:8000/about`. */
    setUrl(url: string): Promise<void>;
  };
  /** Runs a command line, and waits until it has ended. Of the output, the last 1 MiB is kept. */
  run(command: string): Promise<Exit & { output: string }>;
  readonly terminal: {
    /** Types into a terminal, by default the one that is shown. A line ends with `\r`. */
    write(text: string, terminal?: number): Promise<void>;
    /** Opens a shell. */
    open(): Promise<number>;
    /** Interrupts what runs in a terminal. */
    stop(terminal?: number): Promise<void>;
  };
  ports(): Promise<Port[]>;
  /** Calls a function whenever that happens; calling what comes back ends it. */
  on<Name extends keyof VMEvents>(name: Name, listener: (event: VMEvents[Name]) => void): () => void;
  /** Takes the frame out of the page. */
  destroy(): void;
}

/**
 * Puts a sandbox into an element, which it fills, and waits until its room is joined; with `loading: 'click'` that is when
 * somebody has clicked.
 */
export function embedProject(element: Element | string, project: Project | null, options: EmbedOptions): Promise<VM>;

/**
 * Makes every block of code that is marked with `data-embed` an editor that runs. All share one room, which is joined by the
 * first that somebody runs. What comes back are their sandboxes, each once it is there.
 */
export function embedPage(options: EmbedOptions, root?: ParentNode): Promise<VM>[];

declare const EmbedEnv: { embedProject: typeof embedProject; embedPage: typeof embedPage };
export default EmbedEnv;

declare global {
  interface Window {
    /** Of `/embed.js`. */
    EmbedEnv: typeof EmbedEnv;
  }
  interface HTMLElementTagNameMap {
    /** Its attributes are the options. */
    'embed-env': HTMLElement & { readonly vm: Promise<VM> };
  }
}
