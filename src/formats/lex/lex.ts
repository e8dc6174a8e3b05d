/** Amazon Lex V2: a bot, or one of its locales, as a zip archive, or the folder that it was unpacked to. */
import { pathsBelow } from '../archive-root.ts';
import { lazyFormat } from '../lazy-format.ts';

export const lexFormat = lazyFormat(
  {
    name: 'lex',
    title: 'an Amazon Lex V2 bot',
    extensions: ['.zip'],
    sniff: () => 0,
    sniffArchive: (paths) => {
      const below = pathsBelow(paths, 'Manifest.json');
      return below.some((path) => /(?:^|\/)(?:Bot|BotLocale|Intent)\.json$/u.test(path)) ? 0.9 : 0;
    },
  },
  {
    reader: async () => (await import('./lex-reader.ts')).readLex,
    writer: async () => (await import('./lex-writer.ts')).writeLex,
  },
);
