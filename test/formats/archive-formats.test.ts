/** Archives of chat bots are told apart by their files, and take no file of another format. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dialogflowCxFormat } from '../../src/formats/dialogflow/dialogflow-cx.ts';
import { dialogflowEsFormat } from '../../src/formats/dialogflow/dialogflow-es.ts';
import { lexFormat } from '../../src/formats/lex/lex.ts';
import { detectArchive, HEAD_BYTES } from '../../src/formats/registry.ts';
import { isZip } from '../../src/formats/signature.ts';
import { witJsonFormat } from '../../src/formats/wit/wit-json.ts';
import { witFormat } from '../../src/formats/wit/wit.ts';
import { HAS_DATA, NO_DATA } from './support.ts';
import { pathsIn } from './zip-of.ts';

const FORMATS = [dialogflowEsFormat, dialogflowCxFormat, witFormat, witJsonFormat, lexFormat];
const DATA = join(import.meta.dirname, '../../../shared/data');

test.each([
  ['dialogflow-es', ['agent.json', 'package.json']],
  ['dialogflow-es', ['a/b/agent.json', 'a/b/intents/agent.json', 'a/b/intents/hi_usersays_en.json']],
  ['dialogflow-cx', ['agent.json', 'intents/agent.json/agent.json.json']],
  ['dialogflow-cx', ['agent.json', 'flows/Main/Main.json', 'package.json']],
  ['dialogflow-cx', ['top/agent.json', 'top/intents/hi/trainingPhrases/en.json']],
  ['wit', ['app/app.json', 'app/utterances/utterances-1.json']],
  ['wit', ['app.json', 'intents/hi.json', 'expressions.json']],
  ['wit-json', ['app/app.json', 'app/expressions.json', 'app/entities/intent.json']],
  ['lex', ['Manifest.json', 'Bot/Bot.json']],
  ['lex', ['Manifest.json', 'en_US/BotLocale.json']],
  ['lex', ['bot/Manifest.json', 'bot/Intents/Hi/Intent.json']],
])('%s is recognised from %j', (name, paths) => {
  expect(detectArchive(paths, 'a.zip').format.name).toBe(name);
});

test.each([
  [['agent.json']],
  [['app.json', 'package.json']],
  [['Manifest.json', 'data/records.jsonl']],
  [['my-agent.json', 'intents/hi.json']],
  [['xl/workbook.xml', '[Content_Types].xml']],
  [['src/intents/hi.json', 'src/utterances/utterances-1.json']],
])('%j is none of them', (paths) => {
  expect(FORMATS.map((format) => format.sniffArchive?.(paths) ?? 0)).toEqual([0, 0, 0, 0, 0]);
});

test.skipIf(!HAS_DATA)(`no file of another format is taken for one of these${NO_DATA}`, async () => {
  const entries = await readdir(DATA, { withFileTypes: true, recursive: true });
  const taken: string[] = [];
  for (const entry of entries.filter((entry) => entry.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    const paths = isZip(bytes) ? await pathsIn(bytes) : [];
    for (const format of FORMATS) {
      const isTaken = format.sniff(bytes.subarray(0, HEAD_BYTES), path) > 0 || (format.sniffArchive?.(paths) ?? 0) > 0;
      if (isTaken) taken.push(`${path.slice(DATA.length + 1)}: ${format.name}`);
    }
  }
  expect(taken.sort()).toEqual([
    'dialogflow-cx/divebooker-agent.zip: dialogflow-cx',
    'dialogflow-es/qai-salesforce-ext.zip: dialogflow-es',
    'lex-v2/FSI-Agent.lex.zip: lex',
    'wit/whisperer-wit-app.zip: wit',
  ]);
});
