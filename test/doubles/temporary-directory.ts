import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A fresh folder that is removed when the test ends; call it inside a test or a beforeEach. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'uttr-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
