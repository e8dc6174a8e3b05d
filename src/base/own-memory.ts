/** The same text in memory of its own: a part of a string keeps all of it alive, which may be a stretch of megabytes. */
export function apart(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

/** Parts end to end, in memory of their own: it can move to another thread. */
export function inOwnMemory(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
