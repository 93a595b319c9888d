// A style sheet imported for its effect: the bundler collects it into a file beside the entry's.
declare module '*.css';
