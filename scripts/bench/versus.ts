/**
 * uttr beside other programs: the same states of the same dataset, recorded and sent by each in turn, in one run.
 *
 * A program's cost is that of its whole processes. Copying the dataset to where a program looks for it is not measured.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startS3Server, s3Environment, type S3Server } from '../s3-server.ts';
import { type Bar, barChart, type BarGroup } from './chart.ts';
import { formatBytes, formatDuration, formatTable, measure, median, type Cost } from './measure.ts';
import { Link, type LinkShape } from './link.ts';
import type { Command, Peer, Prepared, Remote, Site, State } from './peers/peer.ts';
import { folderBytes, settleDisk } from './project.ts';
import type { QuietRuns } from './quiet.ts';
import { History } from './states.ts';
import type { World } from './world.ts';

export interface VersusOptions {
  readonly s3: boolean;
  readonly link: LinkShape | undefined;
  readonly batches: number;
}

/** Parts of docs/performance.md that comparisons fill. */
export const VERSUS_PARTS = { folder: 'versus-folder', s3: 'versus-s3', link: 'versus-link' } as const;
/** Of a dataset larger than the one that targets are promised for, which has tables of its own. */
export const LARGE_PART = 'versus-s3-large';

const BATCH_ROWS = 1000;
const RELABELS = 150;

interface Measured extends Cost {
  /** Bytes that left for the remote: on the link to a server, or else by which a folder has grown. */
  readonly sent: number;
  /** Bytes that came on the link, and requests by the server's log; undefined of a folder. */
  readonly received?: number;
  readonly requests?: number;
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

  /** Wall time of each program, for a picture. */
  bars(peers: readonly Peer[]): readonly Bar[] {
    return peers
      .filter((peer) => this.has(peer))
      .map((peer) => {
        const value = this.of(peer, ({ wallMs }) => wallMs);
        return { label: peer.name, value, text: formatDuration(value) };
      });
  }

  table(peers: readonly Peer[]): string {
    const there = peers.filter((peer) => this.has(peer));
    const [first] = there;
    if (first === undefined) return '';
    const own = this.of(first, ({ wallMs }) => wallMs);
    const isFar = this.#runs.get(first)?.[0]?.requests !== undefined;
    const far = isFar ? ['received', 'requests'] : [];
    return formatTable(
      ['program', 'wall time', 'uttr takes', 'CPU time', 'peak memory', 'sent', ...far, 'runs'],
      there.map((peer) => {
        const wall = this.of(peer, ({ wallMs }) => wallMs);
        return [
          `${peer.name} ${peer.version}`,
          formatDuration(wall),
          peer === first ? '' : ratio(own, wall),
          formatDuration(this.of(peer, ({ userMs, systemMs }) => userMs + systemMs)),
          seenBytes(this.of(peer, ({ peakRssBytes }) => peakRssBytes)),
          formatBytes(this.of(peer, ({ sent }) => sent)),
          ...(isFar
            ? [
                formatBytes(this.of(peer, ({ received = 0 }) => received)),
                String(this.of(peer, ({ requests = 0 }) => requests)),
              ]
            : []),
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

/** A server, and the way to it. */
interface Far {
  readonly server: S3Server;
  readonly link: Link;
}

/** The place of one program. */
class Contestant {
  readonly peer: Peer;
  readonly site: Site;
  readonly #remoteFolder: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #far: Far | undefined;

  /** @param far without it, the remote is a folder */
  constructor(peer: Peer, folder: string, far: Far | undefined) {
    const prefix = peer.name.replaceAll(/\W+/gu, '-');
    this.peer = peer;
    this.#far = far;
    this.#environment = {
      ...process.env,
      ...(far === undefined ? {} : s3Environment(far.server)),
      ...peer.environment,
    };
    const remote: Remote =
      far === undefined
        ? { url: join(folder, prefix, 'remote'), endpoint: undefined }
        : { url: `s3://${far.server.bucket}/${prefix}`, endpoint: far.link.endpoint };
    this.#remoteFolder = far === undefined ? remote.url : join(far.server.folder, prefix);
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
    const far = this.#far;
    far?.link.takeTraffic();
    const before = far?.server.requests() ?? this.remoteBytes;
    for (const { args, cwd = this.site.folder } of commands) {
      const run = await measure(args, { cwd, env: this.#environment });
      total.wallMs += run.wallMs;
      total.userMs += run.userMs;
      total.systemMs += run.systemMs;
      total.peakRssBytes = Math.max(total.peakRssBytes, run.peakRssBytes);
    }
    if (far === undefined) return { ...total, sent: this.remoteBytes - before };
    return { ...total, ...far.link.takeTraffic(), requests: far.server.requests() - before };
  }
}

/** What a comparison gave: tables as Markdown, and wall times as a picture. */
export interface Comparison {
  readonly tables: string;
  readonly chart: string;
}

/** Compares programs. @param peers the first one is uttr */
export async function versus(world: World, peers: readonly Peer[], options: VersusOptions): Promise<Comparison> {
  const far = options.s3 ? await reach(options.link) : undefined;
  try {
    const able = peers.filter(({ remotes }) => remotes.includes(options.s3 ? 's3' : 'folder'));
    const folder = join(world.options.scratchFolder, 'versus');
    return await compare(
      world,
      able.map((peer) => new Contestant(peer, folder, far)),
      options,
    );
  } finally {
    await far?.link.close();
    await far?.server.stop();
  }
}

async function reach(shape: LinkShape | undefined): Promise<Far> {
  const server = await startS3Server();
  return { server, link: await Link.to(server.endpoint, shape) };
}

async function compare(world: World, contestants: readonly Contestant[], options: VersusOptions): Promise<Comparison> {
  const { quiet, repeat } = world.options;
  const few = Math.ceil(repeat / 2);
  const history = new History(world);
  const parts: string[] = [];
  const groups: BarGroup[] = [];
  const programs = contestants.map(({ peer }) => peer);
  const tell = (part: string): void => {
    parts.push(part);
    world.note(part);
  };
  const measured = async (title: string, runs: number, prepare: () => Promise<Workload>): Promise<void> => {
    const costs = await inTurn(contestants, runs, prepare);
    tell(`#### ${title}\n\n${costs.table(programs)}`);
    groups.push({ title, bars: costs.bars(programs) });
  };
  /** What was recorded once cannot be recorded again. */
  const next =
    (state: State): Workload =>
    (contestant) =>
      quiet.once(() => contestant.take(state));

  const whole = await history.first();
  await measured('The first import, recorded and sent', few, async () => (contestant) => {
    world.note(`first import, ${contestant.peer.name}`);
    return quiet.run(
      () => contestant.take(whole),
      () => contestant.create(),
    );
  });
  const first = new Map(contestants.map((contestant) => [contestant, contestant.remoteBytes]));
  await measured('A batch of 1,000 new rows, recorded and sent', options.batches, async () =>
    next(await history.addBatch(BATCH_ROWS)),
  );
  tell(remoteTable(contestants, first, options.batches));
  await keep(contestants, 'before');
  await measured('150 relabels, scattered over the dataset, recorded and sent', 1, async () =>
    next(await history.relabel(RELABELS)),
  );
  await measured('What has changed: nothing', repeat, async () => async (contestant) => {
    const commands = contestant.peer.status?.(contestant.site);
    return commands === undefined ? undefined : quiet.run(() => contestant.run(commands));
  });
  await keep(contestants, 'after');
  await measured('Which rows changed by that', repeat, async () =>
    prepared(quiet, ({ peer, site }) => peer.changes?.(site, ['before', 'after'])),
  );
  await measured('The same, said by somebody new', few, async () =>
    prepared(quiet, ({ peer, site }) => peer.changesAfar?.(site, `${site.folder}.clone`, ['before', 'after'])),
  );
  const fetches = [
    ['The newest state, fetched by somebody new', 'all'],
    ['The same, of uttr the test side only', 'test'],
  ] as const;
  for (const [title, part] of fetches) {
    await measured(title, few, async () =>
      prepared(quiet, ({ peer, site }) => peer.fetch?.(site, `${site.folder}.clone`, part)),
    );
  }
  await measured('The dataset written out as plain files', few, async () =>
    prepared(quiet, ({ peer, site }) => peer.write?.(site)),
  );
  const chart = barChart(
    'Wall time of each program, on a logarithmic scale',
    groups.filter(({ bars }) => bars.length > 0),
  );
  return { tables: parts.join('\n'), chart };
}

/** What each does in turn; undefined where a program has no word for it. */
type Workload = (contestant: Contestant) => Promise<Measured | undefined>;

/** Keeps what was recorded last under a name. */
async function keep(contestants: readonly Contestant[], name: string): Promise<void> {
  for (const contestant of contestants) await contestant.run(contestant.peer.keep?.(contestant.site, name) ?? []);
}

/** What takes commands that are not measured before those that are. */
function prepared(quiet: QuietRuns, find: (contestant: Contestant) => Prepared | undefined): Workload {
  return async (contestant) => {
    const commands = find(contestant);
    if (commands === undefined) return undefined;
    return quiet.run(
      () => contestant.run(commands.measured),
      () => contestant.run(commands.before),
    );
  };
}

/** Has each program do a workload, as often as asked; another one begins each time. */
async function inTurn(
  contestants: readonly Contestant[],
  runs: number,
  prepare: () => Promise<Workload>,
): Promise<Costs> {
  const costs = new Costs();
  for (let run = 0; run < runs; run++) {
    const work = await prepare();
    const start = run % contestants.length;
    for (const contestant of [...contestants.slice(start), ...contestants.slice(0, start)]) {
      const cost = await work(contestant);
      if (cost !== undefined) costs.add(contestant.peer, cost);
    }
  }
  return costs;
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
