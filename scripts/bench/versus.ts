/**
 * uttr beside other programs: the same states of the same dataset, recorded and sent by each in turn, in one run.
 *
 * A program's cost is that of its whole processes. Copying the dataset to where a program looks for it is not measured.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startS3Server, s3Environment, type S3Server } from '../s3-server.ts';
import { formatBytes, formatDuration, formatTable, measure, median, type Cost } from './measure.ts';
import { Link, type LinkShape } from './link.ts';
import type { Command, Peer, Remote, Site, State } from './peers/peer.ts';
import { folderBytes, settleDisk } from './project.ts';
import { History } from './states.ts';
import type { World } from './world.ts';

export interface VersusOptions {
  readonly s3: boolean;
  readonly link: LinkShape | undefined;
  readonly batches: number;
}

/** Parts of docs/performance.md that comparisons fill. */
export const VERSUS_PARTS = { folder: 'versus-folder', s3: 'versus-s3', link: 'versus-link' } as const;

const BATCH_ROWS = 1000;
const RELABELS = 150;

interface Measured extends Cost {
  /** Bytes that left for the remote: on the link to a server, or else by which a folder has grown. */
  readonly sent: number;
}

/** What a workload costs each program. */
class Costs {
  readonly #runs = new Map<Peer, Measured[]>();

  add(peer: Peer, cost: Measured): void {
    this.#runs.set(peer, [...(this.#runs.get(peer) ?? []), cost]);
  }

  has(peer: Peer): boolean {
    return this.#runs.has(peer);
  }

  of(peer: Peer, value: (cost: Measured) => number): number {
    return median((this.#runs.get(peer) ?? []).map(value));
  }

  table(peers: readonly Peer[]): string {
    const there = peers.filter((peer) => this.has(peer));
    const [first] = there;
    if (first === undefined) return '';
    const own = this.of(first, ({ wallMs }) => wallMs);
    return formatTable(
      ['program', 'wall time', 'uttr takes', 'CPU time', 'peak memory', 'sent', 'runs'],
      there.map((peer) => {
        const wall = this.of(peer, ({ wallMs }) => wallMs);
        return [
          `${peer.name} ${peer.version}`,
          formatDuration(wall),
          peer === first ? '' : ratio(own, wall),
          formatDuration(this.of(peer, ({ userMs, systemMs }) => userMs + systemMs)),
          seenBytes(this.of(peer, ({ peakRssBytes }) => peakRssBytes)),
          formatBytes(this.of(peer, ({ sent }) => sent)),
          String(this.#runs.get(peer)?.length),
        ];
      }),
    );
  }
}

/** `1/40` where it is less, `3.2 ×` where it is more. */
export function ratio(own: number, other: number): string {
  const times = other / own;
  return times >= 1 ? `1/${digits(times)}` : `${digits(1 / times)} ×`;
}

/** Nothing where the processes ended before anybody looked at them. */
function seenBytes(bytes: number): string {
  return bytes === 0 ? '' : formatBytes(bytes);
}

function digits(value: number): string {
  return value >= 9.95 ? value.toFixed(0) : value.toFixed(1);
}

/** The place of one program. */
class Contestant {
  readonly peer: Peer;
  readonly site: Site;
  readonly #remoteFolder: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #link: Link | undefined;

  constructor(peer: Peer, folder: string, server: S3Server | undefined, link: Link | undefined) {
    const prefix = peer.name.replaceAll(/\W+/gu, '-');
    this.peer = peer;
    this.#link = link;
    this.#environment = { ...process.env, ...(server === undefined ? {} : s3Environment(server)), ...peer.environment };
    const remote: Remote =
      server === undefined || link === undefined
        ? { url: join(folder, prefix, 'remote'), endpoint: undefined }
        : { url: `s3://${server.bucket}/${prefix}`, endpoint: link.endpoint };
    this.#remoteFolder = server === undefined ? remote.url : join(server.folder, prefix);
    this.site = { folder: join(folder, prefix, 'work'), remote };
  }

  get remoteBytes(): number {
    return folderBytes(this.#remoteFolder);
  }

  async create(): Promise<void> {
    rmSync(this.site.folder, { recursive: true, force: true });
    rmSync(this.#remoteFolder, { recursive: true, force: true });
    mkdirSync(this.site.folder, { recursive: true });
    await this.run(this.peer.create(this.site));
  }

  /** Records and sends a state. */
  async take(state: State): Promise<Measured> {
    this.peer.place?.(this.site, state);
    settleDisk();
    return this.run([...this.peer.record(this.site, state), ...this.peer.push(this.site)]);
  }

  /** Runs commands one after the other; memory is that of the largest. */
  async run(commands: readonly Command[]): Promise<Measured> {
    const total = { wallMs: 0, userMs: 0, systemMs: 0, peakRssBytes: 0 };
    this.#link?.takeTraffic();
    const before = this.#link === undefined ? this.remoteBytes : 0;
    for (const { args, cwd = this.site.folder } of commands) {
      const run = await measure(args, { cwd, env: this.#environment });
      total.wallMs += run.wallMs;
      total.userMs += run.userMs;
      total.systemMs += run.systemMs;
      total.peakRssBytes = Math.max(total.peakRssBytes, run.peakRssBytes);
    }
    const sent = this.#link === undefined ? this.remoteBytes - before : this.#link.takeTraffic().sent;
    return { ...total, sent };
  }
}

/** The tables of one comparison, as Markdown. @param peers the first one is uttr */
export async function versus(world: World, peers: readonly Peer[], options: VersusOptions): Promise<string> {
  const server = options.s3 ? await startS3Server() : undefined;
  const link = server === undefined ? undefined : await Link.to(server.endpoint, options.link);
  try {
    const able = peers.filter(({ remotes }) => remotes.includes(options.s3 ? 's3' : 'folder'));
    const contestants = able.map(
      (peer) => new Contestant(peer, join(world.options.scratchFolder, 'versus'), server, link),
    );
    return await compare(world, contestants, options);
  } finally {
    await link?.close();
    await server?.stop();
  }
}

async function compare(world: World, contestants: readonly Contestant[], options: VersusOptions): Promise<string> {
  const peers = contestants.map(({ peer }) => peer);
  const parts: string[] = [];
  const history = new History(world);
  const tell = (title: string, costs: Costs): void => {
    parts.push(`#### ${title}\n\n${costs.table(peers)}`);
    world.note(parts.at(-1) as string);
  };
  const imports = new Costs();
  for (let run = 0; run < Math.ceil(world.options.repeat / 2); run++) {
    const state = await history.first();
    for (const contestant of turn(contestants, run)) {
      world.note(`first import, ${contestant.peer.name}, run ${run + 1}`);
      await contestant.create();
      imports.add(contestant.peer, await world.options.quiet.run(() => contestant.take(state)));
    }
  }
  tell('The first import, recorded and sent', imports);
  const first = new Map(contestants.map((contestant) => [contestant, contestant.remoteBytes]));
  const batches = new Costs();
  for (let run = 0; run < options.batches; run++) {
    const state = await history.addBatch(BATCH_ROWS);
    for (const contestant of turn(contestants, run)) {
      batches.add(contestant.peer, await world.options.quiet.run(() => contestant.take(state)));
    }
  }
  tell('A batch of 1,000 new rows, recorded and sent', batches);
  parts.push(remoteTable(contestants, first, options.batches));
  world.note(parts.at(-1) as string);
  const relabels = new Costs();
  const relabelled = await history.relabel(RELABELS);
  for (const contestant of contestants) relabels.add(contestant.peer, await contestant.take(relabelled));
  tell('150 relabels, scattered over the dataset, recorded and sent', relabels);
  const states = new Costs();
  const written = new Costs();
  for (let run = 0; run < world.options.repeat; run++) {
    for (const contestant of turn(contestants, run)) {
      const { peer, site } = contestant;
      if (peer.status !== undefined) states.add(peer, await contestant.run(peer.status(site)));
    }
  }
  tell('What has changed: nothing', states);
  for (let run = 0; run < Math.ceil(world.options.repeat / 2); run++) {
    for (const contestant of turn(contestants, run)) {
      const { peer, site } = contestant;
      if (peer.write === undefined) continue;
      const { before, measured } = peer.write(site);
      await contestant.run(before);
      written.add(peer, await world.options.quiet.run(() => contestant.run(measured)));
    }
  }
  tell('The dataset written out as plain files', written);
  return parts.join('\n');
}

function remoteTable(
  contestants: readonly Contestant[],
  first: ReadonlyMap<Contestant, number>,
  batches: number,
): string {
  const grown = contestants.map((contestant) => contestant.remoteBytes - (first.get(contestant) ?? 0));
  const [own = 1] = grown;
  const rows = contestants.map((contestant, at) => [
    `${contestant.peer.name} ${contestant.peer.version}`,
    formatBytes(first.get(contestant) ?? 0),
    formatBytes(grown[at] as number),
    at === 0 ? '' : ratio(own, grown[at] as number),
  ]);
  const header = ['program', 'after the import', `more after ${batches} batches`, 'uttr takes'];
  return `#### Bytes on the remote\n\n${formatTable(header, rows)}`;
}

/** Another one begins each time. */
function turn<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
