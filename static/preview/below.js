// Runs first in an app's page that is served below a path: what the page asks by an absolute address goes to its own port.
(() => {
  'use strict';
  const own = '{{PREFIX}}';
  const at = (address) => {
    try {
      const url = new URL(address, document.baseURI);
      if (url.host !== location.host || `${url.pathname}/`.startsWith(`${own}/`)) return address;
      url.pathname = own + url.pathname;
      return url.href;
    } catch {
      return address;
    }
  };
  const fetched = window.fetch;
  window.fetch = (asked, options) =>
    fetched(asked instanceof Request ? new Request(at(asked.url), asked) : at(asked), options);
  const opened = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (method, address, ...more) {
    return opened.call(this, method, at(address), ...more);
  };
  for (const name of ['WebSocket', 'EventSource']) {
    window[name] = new Proxy(window[name], {
      construct: (target, [address, ...more], made) => Reflect.construct(target, [at(address), ...more], made),
    });
  }
  // What scripts have put into the page.
  addEventListener('click', ({ target }) => {
    const link = target.closest?.('a[href], area[href]');
    if (link && at(link.href) !== link.href) link.href = at(link.href);
  }, true);
  addEventListener('submit', ({ target, submitter }) => {
    if (at(target.action) !== target.action) target.action = at(target.action);
    if (submitter?.hasAttribute('formaction')) submitter.formAction = at(submitter.formAction);
  }, true);
})();
