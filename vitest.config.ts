import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.prop.test.ts', 'test/**/*.s3.test.ts', 'test/cli/**', 'test/crash/**'],
          // For a machine that is busy; no test waits for time to pass.
          testTimeout: 30_000,
        },
      },
      { test: { name: 'property', include: ['test/**/*.prop.test.ts'], testTimeout: 120_000 } },
      { test: { name: 'cli', include: ['test/cli/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 } },
      {
        test: {
          name: 's3',
          include: ['test/**/*.s3.test.ts'],
          globalSetup: ['test/contract/s3-server.setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'crash',
          include: ['test/crash/**/*.test.ts'],
          // All experiments of a kind are one test, and may take hours.
          testTimeout: process.env['UTTR_CRASH_ALL'] === '1' ? 0 : 600_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
