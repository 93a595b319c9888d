// `cargo xtask bench page`: how soon the page answers people, in headless Chromium, with the processor as it is and
// throttled fourfold. Prints rows of the table in docs/performance.md. Measures in the page itself: from an event's own time
// to the first task behind the frame that was painted for it. Asserts nothing; what is aimed at stands beside each figure.

import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { Ide } from '../ide.mjs';
import { flags } from '../chromium.mjs';
import { Server } from '../server.mjs';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const program = process.env.EMBEDENV_BIN ?? path.join(root, 'target/release/embedenv');
const executablePath = process.env.EMBEDENV_CHROMIUM ?? '/usr/bin/chromium';

/** Key presses, openings and switches that each figure is the median of. */
const KEYS = 200;
const OPENINGS = 7;
const SWITCHES = 20;
/** What somebody does in an hour at most, for the heap's sake. */
const HOUR = { keys: 6_000, switches: 200, runs: 60 };
/** The longest any step takes. */
const STEP = 30_000;

/** Milliseconds between two frames. */
const FRAME = 17;
/** What is typed, again and again. */
const TYPED = [...'value', 'Space'];

const LINES = 5_000;
const FILES = 20_000;

/** In the page: times from events to the paint that shows what came of them. */
function instrument() {
  const painted = () =>
    new Promise((resolve) => {
      requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => resolve(performance.now());
        channel.port2.postMessage(null);
      });
    });
  const bench = { painted };
  /** `painting` is from the next key press to the frame that shows it. */
  bench.key = () => {
    bench.painting = new Promise((resolve) => {
      const pressed = (event) => painted().then((now) => resolve(now - event.timeStamp));
      addEventListener('keydown', pressed, { capture: true, once: true });
    });
  };
  /** `painting` is from the next event of a kind until `selector` is there and `says` is in its text, painted. */
  bench.until = (kind, selector, says) => {
    bench.painting = new Promise((resolve) => {
      addEventListener(
        kind,
        (event) => {
          const since = event.timeStamp;
          const look = () => {
            const element = document.querySelector(selector);
            const is = element && element.getClientRects().length > 0 && (element.innerText ?? '').includes(says);
            if (is) painted().then((now) => resolve(now - since));
            else setTimeout(look, 0);
          };
          look();
        },
        { capture: true, once: true },
      );
    });
  };
  globalThis.bench = bench;
}

class Bench {
  constructor(browser, server, throttle) {
    this.browser = browser;
    this.server = server;
    this.throttle = throttle;
  }

  async page(link = this.server.link) {
    const context = await this.browser.newContext({ viewport: { width: 1440, height: 900 } });
    context.setDefaultTimeout(STEP);
    const page = await context.newPage();
    await page.addInitScript(instrument);
    const session = await context.newCDPSession(page);
    if (this.throttle > 1) await session.send('Emulation.setCPUThrottlingRate', { rate: this.throttle });
    const ide = new Ide(page);
    const started = performance.now();
    await page.goto(link);
    return { ide, page, session, started };
  }

  /** Milliseconds from the address to an editor that takes typing, nothing of the page cached. */
  async load() {
    const { page, started } = await this.page();
    await page.locator('.cm-content[contenteditable=true]').first().waitFor();
    const time = performance.now() - started;
    await page.context().close();
    return time;
  }
}

/**
 * Presses keys in what has the keyboard, each once the one before is painted, at any moment between two frames as people do;
 * the median time to paint in milliseconds.
 */
async function keys(page) {
  const times = [];
  for (let at = 0; at < KEYS; at += 1) {
    await page.evaluate(() => bench.key());
    await page.keyboard.press(TYPED[at % TYPED.length]);
    times.push(await page.evaluate(() => bench.painting));
    await pause((at * 7) % FRAME);
  }
  return median(times);
}

/** Does something, and tells the milliseconds from its event until what it leads to is painted. */
async function shown(page, { kind, selector, says }, act) {
  await page.evaluate(([kind, selector, says]) => bench.until(kind, selector, says), [kind, selector, says]);
  await act();
  return page.evaluate(() => bench.painting);
}

function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)];
}

const rows = [];
function row(what, ours, unit, floor = null) {
  const show = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
  rows.push(`| ${what} | ${show(ours)} | ${floor === null ? '–' : show(floor)} | ${floor === null ? '–' : (ours / floor).toFixed(2)} |`);
  console.error(rows.at(-1));
}

/** A program of so many lines, in the sandbox's Python and here. */
const program_of = (n) => `def function_${n}(value):\n    total = value + ${n}  # adds ${n}\n    return total\n\n`;
const code = Array.from({ length: LINES / 4 }, (_, n) => program_of(n)).join('');
const writing = `"".join(f"def function_{n}(value):\\n    total = value + {n}  # adds {n}\\n    return total\\n\\n" for n in range(${LINES / 4}))`;

/** A text area with the same text: the least that a browser takes for a key press. */
async function bareKeys(bench) {
  const context = await bench.browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(instrument);
  await page.goto('data:text/html,<textarea style="width:1000px;height:700px"></textarea>');
  const session = await context.newCDPSession(page);
  if (bench.throttle > 1) await session.send('Emulation.setCPUThrottlingRate', { rate: bench.throttle });
  await page.locator('textarea').evaluate((area, code) => {
    area.value = code;
  }, code);
  await page.locator('textarea').focus();
  const time = await keys(page);
  await context.close();
  return time;
}

async function measure(browser, throttle) {
  const server = await Server.start(program);
  const bench = new Bench(browser, server, throttle);
  const slow = throttle > 1 ? `, processor throttled ${throttle}-fold` : '';
  try {
    const loads = [];
    for (let at = 0; at < OPENINGS; at += 1) loads.push(await bench.load());
    row(`cold load until a file can be typed into${slow} (1 s at most)`, median(loads), 'ms');

    const { ide, page, session } = await bench.page();
    await ide.ready();
    // Files from inside, as a program makes them.
    await ide.newTerminal();
    await ide.answer(
      `python3 -c 'import os; open("long.py","w").write(${writing}); open("other.py","w").write(open("long.py").read()); open("big.txt","w").write("\\n".join(f"{n:07} " + "x" * 90 for n in range(10700))); os.mkdir("many"); [open(f"many/file{n:05}.txt","w").close() for n in range(${FILES})]; open("done.txt","w").close()'`,
    );
    await ide.entry('done.txt').waitFor();

    await ide.entry('long.py').dblclick();
    await ide.editor('long.py').getByText('def function_0(value)').first().waitFor();
    await ide.editor('long.py').click();
    row(`key press to paint in a file of ${LINES} lines, median${slow} (16 ms at most), beside a text area`, await keys(page), 'ms', await bareKeys(bench));

    const openings = [];
    for (let at = 0; at < OPENINGS; at += 1) {
      const text = { kind: 'dblclick', selector: '.cm-content[aria-label="Editor: big.txt"]', says: '0000000 xxx' };
      openings.push(await shown(page, text, () => ide.entry('big.txt').dblclick()));
      await page.keyboard.press('Control+F4');
      await ide.tab('big.txt').waitFor({ state: 'detached' });
    }
    row(`a file of 1 MB opens, median${slow} (200 ms at most)`, median(openings), 'ms');

    await ide.entry('other.py').dblclick();
    await ide.editor('other.py').getByText('def function_0(value)').first().waitFor();
    const switches = [];
    for (let at = 0; at < SWITCHES; at += 1) {
      const name = at % 2 === 0 ? 'long.py' : 'other.py';
      const selector = `.editor-host:not([hidden]) .cm-content[aria-label="Editor: ${name}"]`;
      switches.push(await shown(page, { kind: 'keydown', selector, says: 'def ' }, () => page.keyboard.press('Control+PageUp')));
    }
    row(`from one tab to another, median${slow} (50 ms at most)`, median(switches), 'ms');

    const trees = [];
    for (let at = 0; at < OPENINGS; at += 1) {
      const first = { kind: 'click', selector: '[role=treeitem][aria-label="file00000.txt"]', says: 'file00000.txt' };
      trees.push(await shown(page, first, () => ide.entry('many').click()));
      await ide.entry('many').click();
      await ide.entry('file00000.txt').waitFor({ state: 'detached' });
    }
    row(`a folder of ${FILES} files is shown, median${slow} (300 ms at most)`, median(trees), 'ms');

    await ide.answer('yes');
    await ide.editor('other.py').click();
    row(`key press to paint while \`yes\` prints, median${slow} (50 ms at most)`, await keys(page), 'ms');
    await ide.terminal.click();
    await page.keyboard.press('Control+c');

    if (throttle === 1) {
      row('heap after what somebody does in an hour (150 MB at most)', await hour(ide, page, session), 'MB');
    }
    await page.context().close();
  } finally {
    await server.stop();
  }
}

/** Types, switches and runs as often as somebody does in an hour; the heap in MB after that, without garbage. */
async function hour(ide, page, session) {
  // Terminals are drawn, as people have them, so that what they say is not in the page: a file tells that a run has ended.
  for (let at = 0; at < HOUR.runs; at += 1) {
    await ide.answer(`seq 2000; touch ran${at}`);
    await ide.entry(`ran${at}`).waitFor();
  }
  await ide.editor('other.py').click();
  for (let at = 0; at < HOUR.switches; at += 1) {
    await page.keyboard.press(at % 2 ? 'Control+PageUp' : 'Control+PageDown');
  }
  for (let at = 0; at < HOUR.keys; at += 100) await page.keyboard.type('value = 1\n'.repeat(10));
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize / 1e6;
}

await promisify(execFile)(program, ['--version']);
const browser = await chromium.launch({ executablePath, args: flags });
try {
  await measure(browser, 1);
  await measure(browser, 4);
} finally {
  await browser.close();
}
console.log(rows.join('\n'));
