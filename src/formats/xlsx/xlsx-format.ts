/** Workbooks of Excel and of all programs that write its format: recognised here, read and written elsewhere. */
import { lazyFormat } from '../lazy-format.ts';
import { isZip } from '../signature.ts';

export const xlsxFormat = lazyFormat(
  {
    name: 'xlsx',
    title: 'an Excel workbook',
    extensions: ['.xlsx', '.xlsm'],
    sniff: (head) => (isZip(head) && Buffer.from(head.buffer, head.byteOffset, head.length).includes('xl/') ? 0.9 : 0),
    sniffArchive: (paths) => (paths.includes('xl/workbook.xml') ? 0.95 : 0),
  },
  {
    reader: async () => (await import('./xlsx-reader.ts')).readXlsx,
    writer: async () => (await import('./xlsx-writer.ts')).writeXlsx,
  },
);
