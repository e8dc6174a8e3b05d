/** Dialogflow CX: an agent exported as a JSON package, or the folder that it was unpacked to. */
import { pathsBelow } from '../archive-root.ts';
import { lazyFormat } from '../lazy-format.ts';

export const dialogflowCxFormat = lazyFormat(
  {
    name: 'dialogflow-cx',
    title: 'a Dialogflow CX agent (JSON package)',
    extensions: ['.zip'],
    // The other way to export an agent; the reader says how to get one that can be read.
    sniff: (_head, name) => (name.toLowerCase().endsWith('.blob') ? 0.4 : 0),
    sniffArchive: (paths) => {
      const below = pathsBelow(paths, 'agent.json');
      return below.some((path) => /^(?:flows\/|intents\/[^/]+\/)/u.test(path)) ? 0.9 : 0;
    },
  },
  {
    reader: async () => (await import('./dialogflow-cx-reader.ts')).readDialogflowCx,
    writer: async () => (await import('./dialogflow-cx-writer.ts')).writeDialogflowCx,
  },
);
