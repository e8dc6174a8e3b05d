import { describe, expect, test } from 'vitest';
import { csvFormat, tsvFormat } from '../../src/formats/csv.ts';
import { readAll, shown, writeAll } from './support.ts';

describe('reading tables', () => {
  test('rows become records, with record number and physical line', async () => {
    const { records, rows, lines, report } = await readAll(
      csvFormat,
      'text,category\r\n"two\nlines",a\r\n\r\nplain,b\r\n"say ""hi"", now",c',
    );
    expect(records).toEqual([
      { text: 'two\nlines', intent: 'a' },
      { text: 'plain', intent: 'b' },
      { text: 'say "hi", now', intent: 'c' },
    ]);
    expect(rows).toEqual([1, 2, 3]);
    expect(lines).toEqual([2, 5, 6]);
    expect(report).toMatchObject({ delimiter: ',', header: ['text', 'category'], rows: 3, accepted: 3 });
    expect([...report.columns]).toEqual([
      ['text', 'text'],
      ['category', 'intent'],
    ]);
  });

  test('the usual names are recognised whatever their case, and other columns become features', async () => {
    const { records } = await readAll(
      csvFormat,
      ' Query ,LABEL,Language,Role,features.Location,ID,meta.source\nhi,greet,en,agent,Oslo,7,web\nyo,greet,,,,,\n',
    );
    expect(records).toEqual([
      {
        text: 'hi',
        intent: 'greet',
        lang: 'en',
        id: '7',
        features: { Role: 'agent', Location: 'Oslo' },
        meta: { source: 'web' },
      },
      { text: 'yo', intent: 'greet' },
    ]);
  });

  test('where two columns could be the text, the better name wins and the other is kept', async () => {
    const { records } = await readAll(csvFormat, 'query,text,label\nq,t,x\n');
    expect(records).toEqual([{ text: 't', intent: 'x', features: { query: 'q' } }]);
  });

  test('a mapping overrides the names', async () => {
    const { records } = await readAll(csvFormat, 'text,Phrase,Label,R\nno,hi,greet,agent\n', {
      map: { text: 'Phrase', intent: 'Label', 'features.role': 'R' },
    });
    expect(records).toEqual([{ text: 'hi', intent: 'greet', features: { role: 'agent', text: 'no' } }]);
  });

  test('a mapped column that is not there is an error with the nearest name', async () => {
    await expect(readAll(csvFormat, 'Phrase,Label\na,b\n', { map: { text: 'Phrases' } })).rejects.toMatchObject({
      code: 'missing-column',
      hint: 'did you mean "Phrase"?',
    });
  });

  test.each([{ txet: 'a' }, { 'features.__proto__': 'a' }, { text: 'a', intent: 'a' }])(
    'a mapping that makes no sense is refused: %j',
    async (map) => {
      await expect(readAll(csvFormat, 'a,b\n1,2\n', { map })).rejects.toMatchObject({ code: 'bad-option' });
    },
  );

  test('a table without a column for the text is refused with its header and a suggestion', async () => {
    await expect(readAll(csvFormat, 'txt,lbl\na,b\n')).rejects.toMatchObject({
      code: 'missing-column',
      message: expect.stringContaining('"txt", "lbl"'),
      hint: expect.stringContaining('--map text=txt'),
    });
  });

  test('a table without a column for the intent gives unlabelled records', async () => {
    const { records, report } = await readAll(csvFormat, 'text\nhi\n');
    expect(records).toEqual([{ text: 'hi' }]);
    expect([...report.columns.values()]).toEqual(['text']);
  });

  test('an empty intent is a bad row; an empty list says that there is none', async () => {
    const { records, problems } = await readAll(csvFormat, 'text,label\na,\nb,[]\nc,"[""y"",""x""]"\nd,[odd]\n');
    expect(records).toEqual([{ text: 'b' }, { text: 'c', intent: ['x', 'y'] }, { text: 'd', intent: '[odd]' }]);
    expect(shown(problems)).toEqual(['1:2 label "intent" is empty']);
    expect(problems[0]).toMatchObject({ code: 'bad-row', raw: 'a,' });
  });

  test('columns can be given where there is no header', async () => {
    const { records, rows } = await readAll(csvFormat, 'greet;hi\nbye;see you\n', { columns: ['intent', 'text'] });
    expect(records).toEqual([
      { text: 'hi', intent: 'greet' },
      { text: 'see you', intent: 'bye' },
    ]);
    expect(rows).toEqual([1, 2]);
    const two = await readAll(csvFormat, 'text,intent\n"hi, you",greet\n', { columns: ['text', 'intent'] });
    expect(two.records).toEqual([
      { text: 'text', intent: 'intent' },
      { text: 'hi, you', intent: 'greet' },
    ]);
    expect(two.lines).toEqual([1, 2]);
  });

  test('entities are a JSON list in the cell', async () => {
    const cell = '"[{""start"":7,""end"":11,""type"":""city"",""text"":""Oslo""}]"';
    const { records, problems } = await readAll(
      csvFormat,
      `text,intent,entities\nfly to Oslo,go,${cell}\nfly,go,\nfly,go,Oslo\nfly,go,"{""a"":1}"\n`,
    );
    expect(records).toEqual([
      { text: 'fly to Oslo', intent: 'go', entities: [{ start: 7, end: 11, type: 'city', text: 'Oslo' }] },
      { text: 'fly', intent: 'go' },
    ]);
    expect(shown(problems)).toEqual([
      expect.stringContaining('3:4 entities "entities" is not a JSON list: not valid JSON'),
      '4:5 entities "entities" is not a JSON list',
    ]);
  });

  test('a split is passed on beside the records; a value that names no part stays a feature', async () => {
    const { records, splits, report } = await readAll(csvFormat, 'text,Dataset\na,Train\nb,banking77\nc,test\n');
    expect(records).toEqual([{ text: 'a' }, { text: 'b', features: { Dataset: 'banking77' } }, { text: 'c' }]);
    expect(splits).toEqual(['Train', undefined, 'test']);
    expect(report.split?.column).toBe('Dataset');
  });

  test.each([
    [',', 'text,label\na;b,x\n'],
    [';', 'text;label\n"a;b";x\nc,d;y\n'],
    ['\t', 'text\tlabel\na, b; c\tx\n'],
    ['|', 'text|label\na,b|x\n'],
    [';', 'Phrase;Label\n"a;b";x\nc,d;y\n'],
  ])('the delimiter %j is found out', async (delimiter, content) => {
    const { report, records } = await readAll(csvFormat, content, {
      map: content.startsWith('Phrase') ? { text: 'Phrase' } : undefined,
    });
    expect(report.delimiter).toBe(delimiter);
    expect(records.length).toBeGreaterThan(0);
  });

  test('a first line sep=; names the delimiter', async () => {
    const { records, lines } = await readAll(csvFormat, 'sep=;\r\ntext;label\r\na,b;x\r\n');
    expect(records).toEqual([{ text: 'a,b', intent: 'x' }]);
    expect(lines).toEqual([3]);
  });

  test.each(['', '""', 'ab', '\n', '"'])('%j is no delimiter', async (delimiter) => {
    await expect(async () => readAll(csvFormat, 'text\na\n', { delimiter })).rejects.toMatchObject({
      code: 'bad-option',
    });
  });

  test.each(['\n', '\r\n', '\r'])('rows may end with %j', async (lineEnd) => {
    const { records, lines } = await readAll(csvFormat, ['text,label', 'a,x', 'b,y', ''].join(lineEnd));
    expect(records.map((record) => record.text)).toEqual(['a', 'b']);
    expect(lines).toEqual([2, 3]);
  });

  test('LF and CRLF may be mixed, and that is noted', async () => {
    const { records, report } = await readAll(csvFormat, 'text,label\r\na,x\nb,y\r\n');
    expect(records).toHaveLength(2);
    expect(report.notes).toEqual([expect.objectContaining({ code: 'mixed-line-ends' })]);
  });

  test('a lone CR among other line ends neither merges nor cuts rows unnoticed', async () => {
    const { records, problems } = await readAll(csvFormat, 'text,label\na,x\nhello\rworld,y\nb,z\n');
    expect(records.map((record) => record.text)).toEqual(['a', 'b']);
    expect(shown(problems)).toEqual([
      '2:3 - a lone carriage return ends the row, unlike other rows',
      '3:4 - the row starts after a lone carriage return, unlike other rows',
    ]);
  });

  test('rows that break the rules are problems with row, line and raw text; the others are read', async () => {
    const { records, problems } = await readAll(
      csvFormat,
      [
        'text,label',
        'ok,x',
        'a 5" nail,x',
        '"quoted" tail,x',
        'one',
        'one,two,three',
        'nul\0,x',
        '"multi\nline" tail,x',
        'fine,x',
      ].join('\n'),
    );
    expect(records.map((record) => record.text)).toEqual(['ok', 'fine']);
    expect(shown(problems)).toEqual([
      '2:3 - a quote inside cell 1, which does not start with one',
      '3:4 - text after the closing quote of cell 1',
      '4:5 - the row has 1 cell, the header has 2',
      '5:6 - the row has 3 cells, the header has 2',
      '6:7 - a NUL character',
      '7:8 - text after the closing quote of cell 1',
    ]);
    expect(problems[5]?.raw).toBe('"multi\nline" tail,x');
  });

  test('a quote that is never closed is an error with the line where it opens', async () => {
    await expect(readAll(csvFormat, 'text,label\na,x\n"b,x\nc,x\n')).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining('memory:3: the quote'),
      details: { line: 3 },
    });
  });

  test.each([
    ['text,label,text\na,b,c\n', 'columns 1 and 3 are both called "text"'],
    ['text,__proto__\na,b\n', 'may not be called "__proto__"'],
    ['text,label,\na,b,c\n', 'column 3 has no name but row 1 has a value there'],
    ['text,"la"bel"\na,b\n', 'the header cannot be read'],
    [`text${',c'.repeat(2500)}\n`, 'more than 2000 c'],
    ['', 'is empty'],
    ['\n\r\n', 'is empty'],
  ])('a header that cannot be used is an error: %j', async (content, message) => {
    await expect(readAll(csvFormat, content.slice(0, 10_000))).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining(message),
    });
  });

  test('a column without a name may be there as long as it is empty', async () => {
    expect((await readAll(csvFormat, 'text,label,\na,b,\n')).records).toEqual([{ text: 'a', intent: 'b' }]);
  });

  test('a header alone is an empty table', async () => {
    const { records, report } = await readAll(csvFormat, 'text,label');
    expect(records).toEqual([]);
    expect(report.rows).toBe(0);
  });

  test('rows without any value are passed over and counted', async () => {
    const { records, rows, report } = await readAll(csvFormat, 'text,label\n,\na,x\n,\n');
    expect(records).toHaveLength(1);
    expect(rows).toEqual([1]);
    expect(report.notes).toEqual([expect.objectContaining({ code: 'blank-rows', count: 2 })]);
  });

  test('trimmed texts are counted', async () => {
    const { records, report } = await readAll(csvFormat, 'text,label\n" a\n",x\n');
    expect(records).toEqual([{ text: 'a', intent: 'x' }]);
    expect(report.notes).toEqual([expect.objectContaining({ code: 'trimmed', count: 1 })]);
  });

  test('cells and rows have limits', async () => {
    const cell = 'x'.repeat(1024 * 1024 + 1);
    const { records, problems } = await readAll(csvFormat, `text,label,note\na,b,${cell}\na,b,ok\n`);
    expect(records).toHaveLength(1);
    expect(shown(problems)).toEqual(['1:2 - column 3 has more than 1048576 characters']);
    const row = 'x,'.repeat(5 * 1024 * 1024);
    const long = await readAll(csvFormat, `text,label\n${row}\na,b\n`, { gatherBytes: 100_000 });
    expect(long.records).toHaveLength(1);
    expect(shown(long.problems)).toEqual(['1:2 - the row has more than 8388608 characters']);
  });

  test('a quoted cell of endless length is an error', async () => {
    await expect(readAll(csvFormat, `text,label\n"${'x\n'.repeat(5 * 1024 * 1024)}",a\n`)).rejects.toMatchObject({
      code: 'bad-format',
      details: { line: 2 },
    });
  });
});

describe('encodings', () => {
  test('a UTF-8 mark is dropped', async () => {
    expect((await readAll(csvFormat, '\ufefftext,label\né,x\n')).records).toEqual([{ text: 'é', intent: 'x' }]);
  });

  test.each([true, false])('UTF-16LE is recognised (with a mark: %j)', async (hasMark) => {
    const bytes = Buffer.from(`${hasMark ? '\ufeff' : ''}text\tlabel\r\nhé 😀\tx\r\n`, 'utf16le');
    const { records, report } = await readAll(csvFormat, bytes);
    expect(records).toEqual([{ text: 'hé 😀', intent: 'x' }]);
    expect(report).toMatchObject({ encoding: 'utf-16le', delimiter: '\t' });
  });

  test('UTF-16LE that is cut within a character is a problem of its row', async () => {
    const bytes = Buffer.from('\ufefftext,label\na,x\nb,y', 'utf16le');
    const { records, problems } = await readAll(csvFormat, bytes.subarray(0, -1));
    expect(records).toHaveLength(1);
    expect(problems).toHaveLength(1);
  });

  test('UTF-16, big-endian, is refused by name', async () => {
    const bytes = Buffer.from('\ufefftext,label\na,b\n', 'utf16le').swap16();
    await expect(readAll(csvFormat, bytes)).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining('big-endian'),
    });
  });

  test('bytes that are not UTF-8 are a problem of their row; in the header, an error', async () => {
    const { records, problems } = await readAll(csvFormat, Buffer.from('text,label\ncaf\xe9,x\nok,x\n', 'latin1'));
    expect(records).toEqual([{ text: 'ok', intent: 'x' }]);
    expect(shown(problems)).toEqual([expect.stringContaining('1:2 - byte 0xE9 at offset 14 is not UTF-8')]);
    await expect(readAll(csvFormat, Buffer.from('text,caf\xe9\na,x\n', 'latin1'))).rejects.toMatchObject({
      code: 'bad-format',
      message: expect.stringContaining('0xE9 at offset 8'),
    });
  });

  test('an encoding that contradicts the mark is refused', async () => {
    await expect(readAll(csvFormat, '\ufefftext\na\n', { encoding: 'windows-1252' })).rejects.toMatchObject({
      code: 'bad-format',
    });
  });
});

describe('tab-separated values', () => {
  test('a quote inside a cell is a character like any other', async () => {
    const { records } = await readAll(tsvFormat, 'text\tlabel\na 5" nail, or; two\tx\n"tab\there"\ty\n');
    expect(records).toEqual([
      { text: 'a 5" nail, or; two', intent: 'x' },
      { text: 'tab\there', intent: 'y' },
    ]);
  });
});

describe('writing tables', () => {
  const records = [
    { text: 'plain', intent: 'a', features: { role: 'agent', age: 5 } },
    { text: 'a "b", c\nd', intent: ['x', 'y'], id: '7', lang: 'en', features: { role: '' } },
    { text: '=1+1', meta: { source: 'web' } },
    { text: 'é 😀', intent: '[odd]', entities: [{ start: 2, end: 3, type: 'face', text: '😀' }] },
  ];

  test('features have columns of their own in order; what is no plain string keeps its type as JSON', async () => {
    expect((await writeAll(csvFormat, records)).toString()).toBe(
      [
        'text,intent,id,lang,entities,features,meta,features.role',
        'plain,a,,,,"{""age"":5}",,agent',
        '"a ""b"", c\nd","[""x"",""y""]",7,en,,"{""role"":""""}",,',
        '=1+1,[],,,,,"{""source"":""web""}",',
        'é 😀,"[""[odd]""]",,,"[{""end"":3,""start"":2,""text"":""😀"",""type"":""face""}]",,,',
        '',
      ].join('\n'),
    );
  });

  test('what was written is read back as the same records', async () => {
    for (const format of [csvFormat, tsvFormat]) {
      for (const lineEnd of ['\n', '\r\n'] as const) {
        const bytes = await writeAll(format, records, { lineEnd });
        expect((await readAll(format, bytes)).records).toEqual(records);
      }
    }
  });

  test('formulas are disarmed on request only, and armed again exactly', async () => {
    const records = [
      { text: '=cmd()', intent: '@x' },
      { text: "'=cmd()", intent: "'quoted'" },
      { text: '\uff1dcmd()', intent: 'x' },
    ];
    const bytes = await writeAll(csvFormat, records, { escapeFormulas: true });
    expect(bytes.toString().split('\n').slice(1)).toEqual([
      "'=cmd(),'@x,,,",
      "''=cmd(),'quoted',,,",
      "'\uff1dcmd(),x,,,",
      '',
    ]);
    expect((await readAll(csvFormat, bytes, { unescapeFormulas: true })).records).toEqual(records);
    expect((await readAll(csvFormat, bytes)).records[0]?.text).toBe("'=cmd()");
  });

  test('no records give a header', async () => {
    expect((await writeAll(csvFormat, [])).toString()).toBe('text,intent,id,lang,entities\n');
  });
});
