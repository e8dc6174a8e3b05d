/** The parts of a workbook: which sheets there are, and what their cells refer to. */
import { posix } from 'node:path';
import { UttrError } from '../../base/errors.ts';
import { openArchive, type Archive, type ArchiveEntry } from '../archive.ts';
import { readBytes } from '../document.ts';
import type { ByteInput } from '../format.ts';
import { binaryKind, isZip } from '../signature.ts';
import { type NumberKind, readStyles } from './number-formats.ts';
import { readSharedStrings, type SharedStrings } from './shared-strings.ts';
import { badPart, isTrue, parseXml, prefixed } from './xml-stream.ts';

const MAIN_PART = 'xl/workbook.xml';
/** Far more than anybody can look at. */
const SHEET_LIMIT = 1000;
const RELATION_LIMIT = 10_000;
/** Excel allows 31. */
const SHEET_NAME_CHARACTERS = 255;

/** A sheet that holds cells. */
export interface Sheet {
  readonly name: string;
  readonly isHidden: boolean;
  readonly part: ArchiveEntry;
}

export interface Workbook {
  readonly file: string;
  /** In the order of their tabs. */
  readonly sheets: readonly Sheet[];
  readonly strings: SharedStrings;
  /** What a number is by the style of its cell. */
  readonly styles: readonly NumberKind[];
  readonly is1904: boolean;
  readonly hasMacros: boolean;
}

interface SheetEntry {
  readonly name: string;
  readonly id: string;
  readonly isHidden: boolean;
}

interface Relation {
  readonly type: string;
  readonly path: string;
}

/** @throws bad-format */
export async function openWorkbook(input: ByteInput): Promise<Workbook> {
  const file = input.name;
  const bytes = await readBytes(input);
  if (!isZip(bytes)) {
    const kind = bytes.length === 0 ? 'empty' : (binaryKind(bytes) ?? 'a text');
    throw new UttrError('bad-format', `${file} is ${kind}, not a workbook`, {
      hint: 'leave out --format, or save the workbook as .xlsx, without a password',
      details: { file },
    });
  }
  const archive = await openArchive(bytes, file);
  const main = partAt(archive, MAIN_PART);
  if (main === undefined) {
    throw new UttrError('bad-format', `${file} is no workbook: it has no ${MAIN_PART}`, {
      hint: 'save it as .xlsx, or export the sheet as CSV (UTF-8)',
      details: { file },
    });
  }
  const relations = await readRelations(file, archive);
  const related = (type: string): ArchiveEntry | undefined => {
    const path = [...relations.values()].find((relation) => relation.type === type)?.path;
    return path === undefined ? undefined : partAt(archive, path);
  };
  const { entries, is1904 } = await readMain(file, main);
  return {
    file,
    sheets: entries.flatMap((entry) => sheetsOf(file, archive, relations, entry)),
    strings: await readSharedStrings(file, related('sharedStrings')),
    styles: await readStyles(file, related('styles')),
    is1904,
    hasMacros: archive.entries.some(({ path }) => path.endsWith('vbaProject.bin')),
  };
}

async function readMain(
  file: string,
  part: ArchiveEntry,
): Promise<{ readonly entries: readonly SheetEntry[]; readonly is1904: boolean }> {
  const entries: SheetEntry[] = [];
  let is1904 = false;
  await parseXml(file, part, {
    open(name, attributes) {
      if (name === 'workbookPr') is1904 = isTrue(attributes['date1904']);
      if (name !== 'sheet') return;
      if (entries.length === SHEET_LIMIT) throw badPart(file, part.path, `it has more than ${SHEET_LIMIT} sheets`);
      const { name: title = '', state = 'visible' } = attributes;
      if (title.length > SHEET_NAME_CHARACTERS) throw badPart(file, part.path, 'a name of a sheet is too long');
      entries.push({ name: title, id: prefixed(attributes, 'id') ?? '', isHidden: state !== 'visible' });
    },
    close: () => undefined,
    text: () => undefined,
  });
  return { entries, is1904 };
}

/** None for a chart or a dialogue, which are sheets, too. */
function sheetsOf(
  file: string,
  archive: Archive,
  relations: ReadonlyMap<string, Relation>,
  { name, id, isHidden }: SheetEntry,
): readonly Sheet[] {
  const relation = relations.get(id);
  if (relation !== undefined && relation.type !== 'worksheet') return [];
  const part = relation === undefined ? undefined : partAt(archive, relation.path);
  if (part === undefined) throw badPart(file, MAIN_PART, `the sheet "${name.slice(0, 60)}" is not there`);
  return [{ name, isHidden, part }];
}

/** What the workbook refers to, by id. */
async function readRelations(file: string, archive: Archive): Promise<ReadonlyMap<string, Relation>> {
  const relations = new Map<string, Relation>();
  const part = partAt(archive, 'xl/_rels/workbook.xml.rels');
  if (part === undefined) return relations;
  await parseXml(file, part, {
    open(name, { Id: id, Type: type, Target: target, TargetMode: mode }) {
      if (name !== 'Relationship' || id === undefined || type === undefined || target === undefined) return;
      if (mode === 'External') return;
      if (relations.size === RELATION_LIMIT) throw badPart(file, part.path, 'it refers to too many parts');
      relations.set(id, { type: type.slice(type.lastIndexOf('/') + 1), path: pathOf(target) });
    },
    close: () => undefined,
    text: () => undefined,
  });
  return relations;
}

/** A target is an absolute path, or one from the folder of the workbook. */
function pathOf(target: string): string {
  return target.startsWith('/') ? target.slice(1) : posix.join('xl', target);
}

/** Names of parts are the same whatever their case. */
function partAt(archive: Archive, path: string): ArchiveEntry | undefined {
  const wanted = path.toLowerCase();
  return archive.entries.find((entry) => entry.path.toLowerCase() === wanted);
}
