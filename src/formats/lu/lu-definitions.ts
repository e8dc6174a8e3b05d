/** Definitions in a .lu file: entities, lists and features, which are no utterances, and the roles they declare. */
import { noteSideInformation } from '../json-document.ts';
import type { ReportBuilder } from '../read-report.ts';

/** Longer definitions are read up to here. */
const DEFINITION_LIMIT = 4096;

const KINDS: Readonly<Record<string, string>> = {
  ml: 'machine-learned entities',
  simple: 'machine-learned entities',
  list: 'list entities',
  regex: 'regex entities',
  prebuilt: 'prebuilt entities',
  composite: 'composite entities',
  patternany: 'Pattern.Any entities',
  phraselist: 'phrase lists',
  intent: 'intents with features',
};

const OTHER = 'other definitions';

const KIND = /^(ml|simple|list|regex|prebuilt|composite|patternany|phraselist|intent)(?:\s+|$)/iu;

/** What the definitions of a file declare. */
export class LuDefinitions {
  readonly #names = new Map<string, Set<string>>();
  readonly #entities = new Set<string>();
  readonly #roles = new Map<string, Set<string>>();

  /** Takes a line that begins with "@" or "$". */
  take(line: string): void {
    const text = line.slice(1, DEFINITION_LIMIT).trim();
    if (line.startsWith('@')) this.#takeNew(text);
    else this.#takeOld(text);
  }

  note(report: ReportBuilder): void {
    for (const [what, names] of this.#names) noteSideInformation(report, what, [...names]);
  }

  /** A label may give the role alone, where only one entity has it. */
  resolve<Label extends { readonly type: string; readonly role?: string | undefined }>(label: Label): Label {
    const owners = this.#roles.get(label.type);
    if (label.role !== undefined || owners?.size !== 1 || this.#entities.has(label.type)) return label;
    const [owner] = owners;
    return { ...label, type: owner, role: label.type };
  }

  /** `@ list c hasRoles a, b usesFeatures d =`; without a kind it adds to what is defined elsewhere. */
  #takeNew(text: string): void {
    const kind = KIND.exec(text)?.[1]?.toLowerCase();
    const rest = kind === undefined ? text : text.slice(kind.length).trim();
    const [whole, ...inQuotes] = /^"([^"]*)"|^'([^']*)'|^[^\s,;'"=(]+/u.exec(rest) ?? [];
    const name = inQuotes.find((part) => part !== undefined) ?? whole;
    this.#declare(kind, name);
    const [, roles] = /\shasRoles?\s+([^=]*)/iu.exec(rest) ?? [];
    this.#declareRoles(name, roles?.split(/\susesFeatures?\s/iu)[0]);
  }

  /** `$name:simple`, `$name:canonical form=`, `$name:/regex/`, `$PREBUILT:type`, each perhaps with ` roles=a, b`. */
  #takeOld(text: string): void {
    const colon = text.indexOf(':');
    const name = (colon < 0 ? text : text.slice(0, colon)).trim();
    const [type = '', roles] = (colon < 0 ? '' : text.slice(colon + 1)).split(/\sroles?\s?=/iu);
    const isPrebuilt = name.toLowerCase() === 'prebuilt';
    const owner = isPrebuilt ? type.trim() : name;
    this.#declare(isPrebuilt ? 'prebuilt' : oldKind(type.trim().toLowerCase()), owner);
    this.#declareRoles(owner, roles?.replaceAll(/[[\]]/gu, ''));
  }

  #declare(kind: string | undefined, name: string | undefined): void {
    if (name === undefined || name === '') return;
    const isKnown = kind === undefined && this.#entities.has(name);
    if (!isKnown) {
      const what = KINDS[kind ?? ''] ?? OTHER;
      const names = this.#names.get(what) ?? new Set();
      this.#names.set(what, names.add(name));
    }
    if (kind !== 'intent' && kind !== 'phraselist') this.#entities.add(name);
  }

  #declareRoles(name: string | undefined, list: string | undefined): void {
    if (name === undefined) return;
    for (const given of (list ?? '').split(/[,;]/u)) {
      const role = given.trim().replaceAll(/^["']|["']$/gu, '');
      if (role !== '') this.#roles.set(role, (this.#roles.get(role) ?? new Set()).add(name));
    }
  }
}

function oldKind(type: string): string | undefined {
  if (type.startsWith('simple') || type === '') return 'simple';
  if (type.startsWith('phraselist')) return 'phraselist';
  if (type.startsWith('/')) return 'regex';
  if (type.startsWith('[')) return 'composite';
  return type.endsWith('=') ? 'list' : undefined;
}
