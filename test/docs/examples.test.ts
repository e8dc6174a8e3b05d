/** Every worked example of docs/format.md is checked, by code that was written from the page. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EndRule, xxh32 } from './boundary.ts';
import { canonical, fold, type Json, keyOf, norm, sha256, type StoredRecord } from './forms.ts';
import { decodePack } from './pack-decoder.ts';
import { APOSTROPHES, example, exampleWith, jsonLines, PAGE, section, WEIGHTS, WHITESPACE, withTabs } from './page.ts';
import { independentSha256, needsOf, placeOf } from './split.ts';
import { contentOf, DecodedStore, type Manifest, pointerOf } from './store-decoder.ts';

const GOLDEN = new URL('../golden/store-v1/', import.meta.url);
const golden = new DecodedStore(new URL('remote', GOLDEN).pathname);
const goldenText = (name: string): string => readFileSync(new URL(name, GOLDEN), 'utf8');

describe('records and keys', () => {
  test('whitespace and apostrophes are as many as the page says', () => {
    expect(Array.from(WHITESPACE)).toHaveLength(26);
    expect(Array.from(APOSTROPHES)).toHaveLength(12);
    expect(Array.from(WHITESPACE).filter((char) => /\s/u.test(char) || char === '\u0085')).toHaveLength(26);
  });

  test.each(jsonLines<{ text: string; norm: string; fold: string }>('forms'))(
    '$text has the forms of the page',
    (form) => {
      expect({ text: form.text, norm: norm(form.text), fold: fold(form.text) }).toEqual(form);
    },
  );

  test('records have the keys of the page', () => {
    const [long, ...rest] = jsonLines<Record<string, Json>>('keys').reverse();
    for (const { record, identity, key } of rest) {
      expect(keyOf(record as StoredRecord, identity as string[])).toBe(key);
    }
    const { repeat, cutAt, end } = long as unknown as { repeat: [string, number]; cutAt: number; end: string };
    const text = repeat[0].repeat(repeat[1]).trim();
    expect(keyOf({ text }, [])).toBe(`${text.slice(0, cutAt)}${end}`);
  });
});

describe('trees', () => {
  test.each(['leaf', 'node'])('the %s has the name that stands above it', (name) => {
    const { text, argument } = exampleWith(name);
    expect(sha256(withTabs(text))).toBe(argument);
  });

  test('the weights are those of the formula', () => {
    const formula = Array.from({ length: 64 }, (_, k) => Number((2_831_028n * BigInt(2 * k + 1) ** 3n) / 32_768n));
    expect(WEIGHTS).toEqual(formula);
  });

  test.each(jsonLines<{ key: string; seed: number; xxh32: number; anchor?: boolean }>('hashes'))(
    'XXH32 of $key with seed $seed is that of the page',
    ({ key, seed, xxh32: hash, anchor }) => {
      expect(xxh32(Buffer.from(key), seed)).toBe(hash);
      expect(new EndRule(0).endsAfter(Buffer.from(key), 1)).toBe(anchor ?? false);
    },
  );

  test('the worked example of the rule is right, number by number', () => {
    const [step] = jsonLines<Record<string, number> & { key: string; ends: boolean }>('boundary');
    if (step === undefined) throw new Error('the example is missing');
    const key = Buffer.from(step.key);
    const at = (name: string): number => step[name] as number;
    expect(xxh32(key, 0x7574_7472)).toBe(at('anchorHash'));
    expect(at('before') + at('size')).toBe(at('running'));
    expect(Math.floor((16 * at('running')) / 8192)).toBe(at('k'));
    expect(WEIGHTS[at('k')]).toBe(at('weight'));
    expect(xxh32(key, at('level'))).toBe(at('hash'));
    expect(at('hash') * 8192).toBe(at('left'));
    expect(at('weight') * at('size') * 4096).toBe(at('right'));
    expect(at('left') < at('right')).toBe(step.ends);
  });
});

describe('packs and stores', () => {
  test('the pack is the frozen one, and the table beside it reads it aloud', () => {
    const { text, argument } = exampleWith('pack');
    const bytes = Buffer.from(text.replaceAll('\n', ''), 'hex');
    expect(bytes).toEqual(golden.packs.get(`packs/d/${argument}`));
    const pack = decodePack(bytes);
    const table = section('## 7. Packs').split('**Worked example.**')[1] as string;
    const rows = [...table.matchAll(/^\| (\d+) \| `([0-9a-f… ]+)` \|/gmu)];
    expect(rows.length).toBeGreaterThan(8);
    for (const [, at, cell] of rows) {
      const hex = (cell as string).replaceAll(/[… ]/gu, '');
      expect(bytes.toString('hex', Number(at), Number(at) + hex.length / 2)).toBe(hex);
    }
    const lengths = pack.frames.flatMap(({ chunks }) => chunks.map(({ length }) => length));
    expect(table).toContain(`raw lengths ${lengths.join(', ')}`);
    expect(table).toContain(`${bytes.length} bytes`);
    for (const [number, frame] of pack.frames.entries()) {
      expect(table).toMatch(new RegExp(`frame ${number}[:,] ${frame.stored.length} bytes`, 'u'));
    }
  });

  test('format.json, a head and a log entry are those of the frozen store', () => {
    expect(goldenText('remote/format.json')).toBe(example('format.json'));
    const { text, argument } = exampleWith('head');
    expect(`${goldenText(`remote/heads/${argument}`)}\n`).toBe(text);
    expect(`${goldenText(`remote/log/${argument}/000000000001`)}\n`).toBe(text);
  });
});

describe('versions', () => {
  test('the manifest is that of the frozen store and has the name that stands above it', () => {
    const { text, argument } = exampleWith('manifest');
    expect(sha256(text.trimEnd())).toBe(argument);
    expect(`${golden.chunk(argument).toString('utf8')}\n`).toBe(text);
    expect(PAGE).toContain(`\`${argument}\`:`);
  });

  test('every field of a manifest is in the table, and no other', () => {
    const cells = [...section('### 9.1 Manifest').matchAll(/^\| (`[^|]+?) \|/gmu)].map(([, cell]) => cell as string);
    const fields = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/gu)].map(([, name]) => name as string));
    const manifest = JSON.parse(example('manifest')) as object;
    expect(fields.toSorted()).toEqual(Object.keys(manifest));
  });

  test('the content id and the pointer follow from the manifest', () => {
    const { text, argument } = exampleWith('content');
    expect(sha256(text.trimEnd())).toBe(argument);
    const manifest = JSON.parse(example('manifest')) as Manifest;
    expect(contentOf(manifest)).toBe(manifest.content);
    expect(pointerOf(exampleWith('manifest').argument, manifest)).toBe(example('pointer'));
    expect(goldenText(`manifests/${exampleWith('pointer').argument}.json`)).toBe(example('pointer'));
  });

  test('the retired groups and the changes stand in the merge of the frozen store', () => {
    const { version } = golden.json('heads/support/main') as { version: string };
    const { retired, changes } = golden.manifest(version);
    expect(golden.chunk(retired.root as string).toString('utf8')).toBe(withTabs(example('retired')));
    const list = golden.chunk(changes.list?.root as string).toString('utf8');
    expect(list.startsWith(withTabs(example('changes')))).toBe(true);
  });
});

describe('the split, what is local, events', () => {
  test.each(jsonLines<{ salt: string; text: string; sha256: string; place: string }>('draw'))(
    '$text has the place of the page',
    (draw) => {
      expect(independentSha256(`${draw.salt}\0${draw.text}`)).toBe(draw.sha256);
      expect(placeOf(draw.salt, draw.text)).toBe(BigInt(draw.place));
    },
  );

  test('five strata take the groups that the page says', () => {
    const policy = {
      method: 'sticky',
      sides: { train: 0.75, test: 0.25 },
      salt: 'support',
      stratify: ['intent'],
    } as const;
    const rows = jsonLines<{ stratum: string; have: number[]; new: number; needs: number[] }>('needs');
    expect(needsOf(policy, rows)).toEqual(rows.map(({ needs }) => needs));
  });

  test('the staged lines have the columns of the table', () => {
    for (const line of withTabs(example('staged')).slice(0, -1).split('\n')) {
      const [home, intent, before, group, exact, after] = line.split('\t') as [
        string,
        string,
        string,
        string,
        string,
        string,
      ];
      const record = JSON.parse(after === '=' ? before : after) as StoredRecord;
      expect(`${group}\t${exact}`).toBe(keyOf(record, []));
      expect(intent).toBe(canonical(record['intent'] ?? null));
      expect(home).toBe('train');
    }
  });

  test('the id of an event follows from its list', () => {
    const { text, argument } = exampleWith('event');
    expect(canonical(JSON.parse(text) as Json)).toBe(text.trimEnd());
    expect(independentSha256(text.trimEnd()).slice(0, 32)).toBe(argument);
  });
});
