/** Hugging Face dataset folder: data files by split, with README.md saying which is which. */
import type { Format } from '../format.ts';
import { lazyFormat } from '../lazy-format.ts';
import { datasetConfidence } from './shards.ts';

export const huggingFaceFormat: Format = lazyFormat(
  {
    name: 'huggingface',
    title: 'a Hugging Face dataset folder',
    extensions: [],
    sniff: () => 0,
    sniffArchive: datasetConfidence,
  },
  {
    reader: async () => (await import('./huggingface-reader.ts')).readHuggingFace,
    folderWriter: async () => (await import('./huggingface-writer.ts')).writeHuggingFace,
  },
);
