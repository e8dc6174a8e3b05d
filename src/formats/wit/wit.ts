/** wit.ai: an app as a zip archive (version 20200513), or the folder that it was unpacked to. */
import { pathsBelow } from '../archive-root.ts';
import { lazyFormat } from '../lazy-format.ts';

export const witFormat = lazyFormat(
  {
    name: 'wit',
    title: 'a wit.ai app',
    extensions: ['.zip'],
    sniff: () => 0,
    sniffArchive: (paths) => {
      const below = pathsBelow(paths, 'app.json');
      return below.some((path) => /^(?:utterances|intents|traits)\/[^/]+\.json$/u.test(path)) ? 0.9 : 0;
    },
  },
  {
    reader: async () => (await import('./wit-reader.ts')).readWit,
    writer: async () => (await import('./wit-writer.ts')).writeWit,
  },
);
