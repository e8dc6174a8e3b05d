/** Reads Rasa NLU YAML through the parser of YAML alone. */
import type { ByteInput, ReadBatch, ReadOptions } from '../format.ts';
import { readDocument } from '../document.ts';
import type { ReportBuilder } from '../read-report.ts';
import { parseYaml } from '../yaml-document.ts';
import { RasaRows } from './rows.ts';
import { takeDocuments } from './yaml-items.ts';

export async function* readRasaYaml(
  input: ByteInput,
  options: ReadOptions,
  report: ReportBuilder,
): AsyncGenerator<ReadBatch> {
  const rows = new RasaRows(report);
  takeDocuments(rows, parseYaml(await readDocument(input, report, options), report.file));
  rows.side.note(report);
  yield* rows.utterances.batches();
}
