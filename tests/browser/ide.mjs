// The page as a person knows it: everything is found by its role and its name, nothing by how it is built.

/** Turns the terminals' rows into text in the page. */
const READABLE = 'screenreader=1';
/** A line of more characters is pasted: nobody types it key by key. */
const LONG = 300;

export class Ide {
  #runs = 0;

  constructor(page) {
    this.page = page;
    this.tree = page.getByRole('tree', { name: 'Files' });
    this.openFiles = page.getByRole('tablist', { name: 'Open files' });
    this.terminals = page.getByRole('tablist', { name: 'Terminals' });
    this.connection = page.getByRole('status').filter({ hasText: /^(Connected|Reconnecting|Offline)$/ });
  }

  async open(link) {
    const address = new URL(link);
    address.search = READABLE;
    await this.page.goto(address.href);
  }

  /** Waits until the room is joined, its files are there, and the terminal that it opens by itself. */
  async ready() {
    await this.connected();
    await this.tree.getByRole('treeitem').first().waitFor();
    await this.terminals.getByRole('tab').first().waitFor();
  }

  async connected() {
    await this.connection.filter({ hasText: 'Connected' }).waitFor();
  }

  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  entry(name) {
    return this.tree.getByRole('treeitem', { name, exact: true });
  }

  /** The tab of an open file, whether or not it has edits that are not saved. */
  tab(name) {
    return this.openFiles.getByRole('tab', { name: new RegExp(`^${escaped(name)}(, unsaved)?$`) });
  }

  editor(path) {
    return this.page.getByRole('textbox', { name: `Editor: ${path}`, exact: true });
  }

  dialog(name) {
    return this.page.getByRole('dialog', { name });
  }

  /** The terminal that is shown. */
  get terminal() {
    return this.page.getByRole('region', { name: /^Terminal \d+$/ });
  }

  /** The names of the terminals' tabs, in their order. */
  async terminalNames() {
    const tabs = this.terminals.getByRole('tab');
    return tabs.evaluateAll((tabs) => tabs.map((tab) => tab.getAttribute('aria-label')));
  }

  /** A row of the shown terminal that says exactly this. */
  row(text) {
    return this.terminal.getByText(text, { exact: true }).first();
  }

  async newFile(name) {
    await this.button('New file').click();
    await this.name(name);
  }

  async newFolder(name) {
    await this.button('New folder').click();
    await this.name(name);
  }

  /** Answers the field that asks for an entry's name. */
  async name(name) {
    const field = this.page.getByRole('textbox', { name: 'Name', exact: true });
    await field.fill(name);
    await field.press('Enter');
    await this.entry(name).waitFor();
  }

  /** Waits until an element has the keyboard. */
  async hasKeyboard(locator) {
    const element = await locator.elementHandle();
    await this.page.waitForFunction((element) => document.activeElement === element, element);
  }

  /** The tab of an open file without edits that are not saved. */
  saved(name) {
    return this.openFiles.getByRole('tab', { name, exact: true });
  }

  /** Types into the editor of an open file as a person does, key by key. */
  async type(path, text) {
    await this.editor(path).click();
    await this.page.keyboard.type(text);
  }

  /** Opens one more terminal and waits until it is the one that is shown. */
  async newTerminal() {
    const before = await this.terminals.getByRole('tab').count();
    await this.button('New terminal').click();
    const tab = this.terminals.getByRole('tab').nth(before);
    await tab.and(this.page.getByRole('tab', { selected: true })).waitFor();
  }

  /** Fills a field and presses Enter before the page has drawn anything, as a busy one hears both. */
  async fillAndEnter(field, text) {
    await field.evaluate((field, text) => {
      field.value = text;
      field.dispatchEvent(new InputEvent('input', { bubbles: true }));
      const enter = new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true });
      if (field.dispatchEvent(enter)) field.form.requestSubmit();
    }, text);
  }

  /** Gives the keyboard to the shown terminal, once it can be typed into. */
  async clickTerminal() {
    await this.terminal.locator('textarea').first().waitFor({ state: 'attached' });
    await this.terminal.click();
  }

  /** Types a line into the shown terminal. */
  async answer(line) {
    if (line.length > LONG) {
      await this.pasteIntoTerminal(line);
    } else {
      await this.clickTerminal();
      await this.page.keyboard.type(line);
    }
    await this.page.keyboard.press('Enter');
  }

  /** Pastes from the clipboard into the shown terminal. */
  async pasteIntoTerminal(text) {
    await this.page.evaluate((text) => navigator.clipboard.writeText(text), text);
    await this.clickTerminal();
    await this.page.keyboard.press('Control+Shift+V');
  }

  /** What is in the terminals, line by line, and what has the keyboard: for a test that failed. */
  async sight() {
    return this.page.evaluate(() => {
      const rows = [...document.querySelectorAll('.xterm-accessibility-tree > *')].map((row) => row.textContent.trimEnd());
      const keyboard = document.activeElement?.cloneNode(false).outerHTML;
      return `${rows.filter(Boolean).map((row) => `\n  | ${row}`).join('')}\n  keyboard: ${keyboard}`;
    });
  }

  /** Runs a line in the shown terminal, and waits until it has ended. */
  async run(line) {
    this.#runs += 1;
    // What is typed is not what is printed.
    await this.pasteIntoTerminal(`clear; ${line}; echo ended $((${this.#runs} + 0))`);
    await this.page.keyboard.press('Enter');
    await this.row(`ended ${this.#runs}`).waitFor();
  }

  /** Writes files of the project, texts or bytes, as a program does, and waits until the tree has those at its root. */
  async write(files) {
    const written = Object.entries(files).map(([name, content]) => {
      const folder = name.includes('/') ? `mkdir -p ${name.slice(0, name.lastIndexOf('/'))}; ` : '';
      return `${folder}echo ${Buffer.from(content).toString('base64')} | base64 -d > ${name}`;
    });
    await this.run(written.join('; '));
    for (const name of Object.keys(files)) {
      if (!name.startsWith('.') && !name.includes('/')) await this.entry(name).waitFor();
    }
  }

  /** Somebody else's cursor in the shown editors, by the name at it. */
  cursorOf(name) {
    return this.page.locator('.cm-personCursor').filter({ hasText: name });
  }

  /** Who is here besides, as the list of people has them. */
  person(name) {
    return this.page.getByRole('list', { name: 'People' }).getByRole('listitem', { name, exact: true });
  }

  /** A new link of a role, as the dialog makes it. */
  async share(role) {
    await this.button('Share').click();
    const dialog = this.dialog('Share');
    await dialog.getByRole('combobox', { name: 'Role' }).selectOption(role);
    await dialog.getByRole('button', { name: 'Create link' }).click();
    const field = dialog.getByRole('textbox', { name: 'Link' });
    await field.waitFor();
    const link = await field.inputValue();
    await this.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    return link;
  }

  /** Does something with somebody who is here, by the menu at them. */
  async withPerson(name, what) {
    await this.person(name).getByRole('button').click();
    await this.page.getByRole('menuitem', { name: what, exact: true }).click();
  }

  /** Waits until the file's text in the editor is exactly `text`. */
  async editorSays(path, text) {
    await this.editor(path).waitFor();
    // An element for each line; `innerText` counts the ends of empty ones twice. The editor may be another one meanwhile.
    const says = ([name, text]) =>
      [...document.querySelectorAll('[role="textbox"]')]
        .filter((box) => box.getAttribute('aria-label') === name && box.checkVisibility())
        .some((editor) => [...editor.children].map((line) => line.textContent).join('\n') === text);
    await this.page.waitForFunction(says, [`Editor: ${path}`, text]);
  }
}

function escaped(text) {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
