// Callbacks of who uses this package: what they throw, at once or later, breaks nothing here, and is told to somebody.

/** @internal */
export function called(callback: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = callback();
    if (result instanceof Promise) result.catch(failed);
  } catch (error) {
    failed(error);
  }
}

/** Calls a callback that nobody waits for: what it throws is for the console. @internal */
export function told(name: string, callback: () => unknown): void {
  called(callback, (error) => console.error(`a callback of ${name} has failed:`, error));
}
