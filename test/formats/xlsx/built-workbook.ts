/** Workbooks from their XML, for what no program would write. */
import { type PackedFile, writeArchive } from '../../../src/formats/archive.ts';

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';

export interface BuiltSheet {
  readonly name?: string;
  readonly state?: string;
  /** Rows, as they stand within `sheetData`. */
  readonly rows: string;
  /** What comes after them. */
  readonly after?: string;
  /** The kind of sheet; a worksheet. */
  readonly type?: string;
}

export interface BuiltWorkbook {
  readonly sheets: readonly BuiltSheet[];
  /** As they stand within `sst`. */
  readonly strings?: string;
  readonly styles?: string;
  /** The path of the part that is taken for the styles. */
  readonly stylesPath?: string;
  readonly properties?: string;
  readonly files?: readonly PackedFile[];
}

/** The bytes of a workbook with one sheet or several. */
export async function built(given: string | BuiltWorkbook): Promise<Buffer> {
  const workbook: BuiltWorkbook = typeof given === 'string' ? { sheets: [{ rows: given }] } : given;
  const { sheets, strings, styles, stylesPath = 'styles.xml', properties = '', files = [] } = workbook;
  const named = sheets.map(({ name = 'Sheet1', state }, index) => {
    const hidden = state === undefined ? '' : ` state="${state}"`;
    return `<sheet name="${name}" sheetId="${index + 1}"${hidden} r:id="r${index + 1}"/>`;
  });
  const relations = [
    ...sheets.map(({ type = 'worksheet' }, index) => relation(`r${index + 1}`, type, `worksheets/s${index + 1}.xml`)),
    ...(strings === undefined ? [] : [relation('rs', 'sharedStrings', '/xl/strings.xml')]),
    relation('rt', 'styles', stylesPath),
    '<Relationship Id="rx" Type="x/externalLink" Target="http://example.com/" TargetMode="External"/>',
  ];
  const parts: [string, string][] = [
    [
      'xl/workbook.xml',
      `<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}">${properties}<sheets>${named.join('')}</sheets></workbook>`,
    ],
    ['xl/_rels/workbook.xml.rels', `<Relationships>${relations.join('')}</Relationships>`],
    ...sheets.map(({ rows, after = '' }, index): [string, string] => [
      `xl/worksheets/s${index + 1}.xml`,
      `<worksheet xmlns="${MAIN}"><dimension ref="A1:XFD1048576"/><sheetData>${rows}</sheetData>${after}</worksheet>`,
    ]),
  ];
  if (strings !== undefined)
    parts.push(['xl/strings.xml', `<sst xmlns="${MAIN}" count="1" uniqueCount="1">${strings}</sst>`]);
  if (styles !== undefined) parts.push(['xl/styles.xml', `<styleSheet xmlns="${MAIN}">${styles}</styleSheet>`]);
  const all = [...parts.map(([path, xml]) => ({ path, bytes: Buffer.from(xml) })), ...files];
  return Buffer.concat(await Array.fromAsync(writeArchive(all)));
}

/** A row of texts; where a cell starts with `<`, it stands as it is. */
export function row(...cells: readonly string[]): string {
  return `<row>${cells.map((cell) => (cell.startsWith('<') ? cell : `<c t="str"><v>${cell}</v></c>`)).join('')}</row>`;
}

function relation(id: string, type: string, target: string): string {
  return `<Relationship Id="${id}" Type="${RELATIONS}/${type}" Target="${target}"/>`;
}
