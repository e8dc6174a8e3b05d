/** wit.ai as it was until 2020: all utterances in one JSON file, alone or as `expressions.json` in an archive. */
import { pathsBelow } from '../archive-root.ts';
import { lazyFormat } from '../lazy-format.ts';
import { headText } from '../text-input.ts';

export const witJsonFormat = lazyFormat(
  {
    name: 'wit-json',
    title: 'utterances of an old wit.ai app (JSON)',
    extensions: ['.json'],
    sniff: (head) => {
      const text = headText(head)?.trimStart() ?? '';
      const isLike = /^\{\s*"data"\s*:\s*\[\s*\{/u.test(text) && text.includes('"text"') && text.includes('"entities"');
      return isLike && text.includes('"entity"') ? 0.9 : 0;
    },
    sniffArchive: (paths) => (pathsBelow(paths, 'expressions.json').length > 0 ? 0.9 : 0),
  },
  { reader: async () => (await import('./wit-json-reader.ts')).readWitJson },
);
