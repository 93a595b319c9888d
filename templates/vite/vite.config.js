import { defineConfig } from 'vite';

// The preview comes by another name than localhost.
export default defineConfig({ server: { host: '0.0.0.0', port: 5173, strictPort: true, allowedHosts: true } });
