import { defineConfig, type OxlintOverride } from 'oxlint';
import { LAYERS, PACKAGE_HOMES, WRITERS } from './scripts/layers.ts';

const ASYNC_WRITES = ['appendFile', 'copyFile', 'rename', 'writeFile'];
const SYNC_WRITES = ['appendFileSync', 'copyFileSync', 'renameSync', 'writeFileSync', 'writeSync', 'writevSync'];
const WRITES: Readonly<Record<string, readonly string[]>> = {
  'node:fs': [...ASYNC_WRITES, ...SYNC_WRITES, 'createWriteStream', 'write', 'writev'],
  'node:fs/promises': ASYNC_WRITES,
};

/** What files of a layer may not import; the last rule that fits a file holds, so each is a whole one. */
function restrict(files: string, layer: string): OxlintOverride {
  const layers = Object.keys(LAYERS).filter((other) => other !== layer && LAYERS[layer]?.includes(other) !== true);
  const packages = Object.keys(PACKAGE_HOMES).filter((name) => {
    const home = PACKAGE_HOMES[name];
    return home === null || home === undefined || !(files === home || files === `${home}**`);
  });
  const patterns = [
    { group: layers.map((name) => `**/${name}/**`), message: `dependencies of src/${layer} point down only` },
    { group: packages, message: 'this package has one home in the code' },
  ];
  const paths = Object.entries(WRITES).map(([name, importNames]) => ({
    name,
    importNames: [...importNames],
    message: 'files are written by src/store/durable-file.ts',
  }));
  const rule = {
    patterns: patterns
      .filter(({ group }) => group.length > 0)
      .map(({ group, message }) => ({ group, message: `${message} (scripts/layers.ts, docs/architecture.md).` })),
    paths: Object.hasOwn(WRITERS, files) ? [] : paths,
  };
  return { files: [files], rules: { 'no-restricted-imports': ['error', rule] } };
}

const homes = Object.values(PACKAGE_HOMES)
  .filter((home) => home !== null)
  .map((home) => (home.endsWith('/') ? `${home}**` : home));
const exceptions = [...new Set([...homes, ...Object.keys(WRITERS)])];

export default defineConfig({
  plugins: ['typescript', 'unicorn', 'import', 'oxc', 'vitest', 'promise', 'node'],
  categories: { correctness: 'error', suspicious: 'error' },
  ignorePatterns: ['dist/**', 'test/golden/**', 'node_modules/**'],
  rules: {
    'typescript/no-floating-promises': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'import/no-default-export': 'error',
    'import/no-cycle': 'error',
    'no-console': 'error',
    'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
    complexity: ['error', 15],
    'no-restricted-properties': [
      'error',
      { object: 'Date', property: 'now', message: 'take a Clock' },
      { object: 'Math', property: 'random', message: 'take a Random' },
    ],
    'no-await-in-loop': 'off',
    'unicorn/no-array-sort': 'off',
    'unicorn/no-array-reverse': 'off',
    'typescript/consistent-return': 'off',
    'import/no-unassigned-import': 'off',
    'unicorn/prefer-add-event-listener': 'off',
    'vitest/require-mock-type-parameters': 'off',
    'no-shadow': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'no-underscore-dangle': 'off',
    'promise/always-return': 'off',
    'unicorn/no-array-method-this-argument': 'off',
    'typescript/no-unsafe-type-assertion': 'off',
    'typescript/no-unnecessary-type-conversion': 'off',
    'vitest/no-conditional-tests': 'off',
    'vitest/no-standalone-expect': 'off',
  },
  overrides: [
    ...Object.keys(LAYERS).map((layer) => restrict(`src/${layer}/**`, layer)),
    ...exceptions.map((file) => restrict(file, file.split('/')[1] as string)),
    { files: ['src/cli/**'], rules: { 'no-restricted-properties': 'off' } },
    { files: ['src/cli/reporter.ts'], rules: { 'no-console': 'off' } },
    {
      files: ['test/**'],
      rules: { 'max-lines-per-function': 'off', complexity: 'off', 'no-restricted-properties': 'off' },
    },
    {
      files: ['test/contract/**'],
      rules: {
        'vitest/expect-expect': 'off',
        'vitest/valid-title': 'off',
        'vitest/require-top-level-describe': 'off',
      },
    },
    {
      files: ['scripts/**', 'examples/**'],
      rules: { 'no-console': 'off', 'no-restricted-properties': 'off', 'max-lines-per-function': 'off' },
    },
    { files: ['*.config.ts'], rules: { 'import/no-default-export': 'off' } },
  ],
});
