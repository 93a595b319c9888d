// `/embed.js`, for a plain script tag: the same as `/embed.mjs`, under the name `EmbedEnv`. A tag that names a room or a
// widget has the blocks of its page embedded; its other `data-` attributes are their options.

import type { EmbedOptions } from './embed';
import EmbedEnv from './host';

window.EmbedEnv = EmbedEnv;

const options = { ...(document.currentScript as HTMLElement | null)?.dataset } as EmbedOptions;
if (options.join || options.widget) {
  const begin = () => void EmbedEnv.embedPage(options);
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin);
  else begin();
}
