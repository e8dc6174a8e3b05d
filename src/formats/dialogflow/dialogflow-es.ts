/** Dialogflow ES (once api.ai): an agent as a zip archive, or the folder that it was unpacked to. */
import { pathsBelow } from '../archive-root.ts';
import { lazyFormat } from '../lazy-format.ts';

export const dialogflowEsFormat = lazyFormat(
  {
    name: 'dialogflow-es',
    title: 'a Dialogflow ES agent',
    extensions: ['.zip'],
    sniff: () => 0,
    sniffArchive: (paths) => {
      const below = pathsBelow(paths, 'agent.json');
      // In a CX agent, each intent has a folder of its own.
      const isEs = below.some((path) => path === 'package.json' || /^intents\/[^/]+\.json$/u.test(path));
      return isEs && !below.some((path) => path.startsWith('flows/')) ? 0.9 : 0;
    },
  },
  {
    reader: async () => (await import('./dialogflow-es-reader.ts')).readDialogflowEs,
    writer: async () => (await import('./dialogflow-es-writer.ts')).writeDialogflowEs,
  },
);
