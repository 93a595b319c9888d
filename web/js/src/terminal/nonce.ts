// Lets xterm.js run under a policy that allows no style but with the response's nonce. Owns the two ways it breaks that
// policy: style elements, which get the nonce, and style attributes, which become declarations set by script.

/** The document for xterm.js, whose elements obey the policy. */
export function obeying(nonce: string): Document {
  const create = creator(nonce);
  return new Proxy(document, {
    get(target, name) {
      if (name === 'createElement') return create;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
}

/** Runs `make` while the page's own document obeys too: parts of xterm.js ask no other. */
export function whileObeying(nonce: string, make: () => void): void {
  document.createElement = creator(nonce);
  try {
    make();
  } finally {
    // Shows the method of the prototype again.
    Reflect.deleteProperty(document, 'createElement');
  }
}

function creator(nonce: string): typeof document.createElement {
  const create = Document.prototype.createElement.bind(document);
  return (name: string, options?: ElementCreationOptions) => {
    const element = create(name, options);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    else element.setAttribute = setAttribute;
    return element;
  };
}

function setAttribute(this: HTMLElement, name: string, value: string): void {
  if (name === 'style') this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}
