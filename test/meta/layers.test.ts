/** A second look at what the lint rules hold, which also sees imports made at run time. */
import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { LAYERS, PACKAGE_HOMES, WRITERS } from '../../scripts/layers.ts';
import { projectFile, projectFiles } from './project-files.ts';

interface Import {
  readonly from: string;
  readonly to: string;
}

const IMPORTS = /^(?:import|export)\b[^;']*\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gmu;

const imports: Import[] = projectFiles('src/**/*.ts').flatMap((from) =>
  [...projectFile(from).matchAll(IMPORTS)].map(([, ...to]) => ({
    from,
    to: to.find((name) => name !== undefined) as string,
  })),
);

const layerOf = (path: string): string => path.split('/')[1] as string;
/** A package, where one of its files is imported. */
const packageOf = (name: string): string =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
const isRelative = ({ to }: Import): boolean => to.startsWith('.');
const show = ({ from, to }: Import): string => `${from} imports ${to}`;

test('every folder of src is a layer', () => {
  const folders = new Set(projectFiles('src/*/**/*.ts').map((path) => layerOf(path)));
  expect([...folders].toSorted()).toEqual(Object.keys(LAYERS).toSorted());
});

test('a layer imports only from the layers below it that it may know', () => {
  const wrong = imports.filter(isRelative).filter(({ from, to }) => {
    if (from === 'src/index.ts') return false;
    const target = posix.join(posix.dirname(from), to);
    if (!target.startsWith('src/')) return true;
    const [here, there] = [layerOf(from), layerOf(target)];
    return here !== there && LAYERS[here]?.includes(there) !== true;
  });
  expect(wrong.map(show)).toEqual([]);
});

test('each third-party package is imported in its one home, and nowhere else', () => {
  const wrong = imports
    .filter((each) => !isRelative(each) && !each.to.startsWith('node:'))
    .filter(({ from, to }) => {
      const home = PACKAGE_HOMES[packageOf(to)] ?? null;
      return home === null || !(home.endsWith('/') ? from.startsWith(home) : from === home);
    });
  expect(wrong.map(show)).toEqual([]);
});

test('every dependency of the package has a home', () => {
  const { dependencies } = JSON.parse(projectFile('package.json')) as { dependencies: Record<string, string> };
  const homeless = Object.keys(dependencies).filter((name) => (PACKAGE_HOMES[name] ?? null) === null);
  expect(homeless).toEqual([]);
  const imported = new Set(imports.map(({ to }) => packageOf(to)));
  expect(Object.keys(dependencies).filter((name) => !imported.has(name))).toEqual([]);
});

test('only the named modules write files by themselves', () => {
  const imported =
    /import (?:type )?\{[^}]*\b(?:append|copyFile|createWriteStream|rename|truncate|write)[^}]*\} from 'node:fs/u;
  const opened = /\bopen(?:Sync)?\([^)]*, '(?:a|w|r\+)/u;
  const wrong = projectFiles('src/**/*.ts').filter((path) => {
    const text = projectFile(path);
    return !Object.hasOwn(WRITERS, path) && (imported.test(text) || opened.test(text));
  });
  expect(wrong).toEqual([]);
  expect(Object.keys(WRITERS).filter((path) => !projectFiles('src/**/*.ts').includes(path))).toEqual([]);
});

test('only the edge reads the clock, chance, the process and its environment', () => {
  const edges =
    /\b(?:Date\.now|Math\.random|process\.(?:env|argv|stdout|stderr|stdin|exit|cwd|on)|console\.)|\bnew Date\(\)/u;
  const inner = projectFiles('src/**/*.ts').filter((path) => !path.startsWith('src/cli/'));
  const wrong = inner.filter((path) => edges.test(projectFile(path).replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/gu, '')));
  expect(wrong).toEqual([]);
});
