// `/embed.js`, for a plain script tag: the same as `/embed.mjs`, under the name `EmbedEnv`.

import EmbedEnv from './host';

window.EmbedEnv = EmbedEnv;
