import type { Clock } from '../../base/ports.ts';
import { type SinkConfig, sinkFingerprint } from '../config.ts';
import { CommandSink } from './command-sink.ts';
import { FileSink } from './file-sink.ts';
import type { Sink } from './sink.ts';
import { WebhookSink } from './webhook-sink.ts';
import type { Resolve } from './webhook-target.ts';

export interface OpenSinksOptions {
  /** The repository: commands run in it, relative paths start from it. */
  readonly root: string;
  /** Secrets are looked up here, and commands inherit it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Names of the webhooks that may go to private addresses: a setting of this machine, never of uttr.json. */
  readonly allowPrivate?: readonly string[] | undefined;
  readonly onOutput?: ((sink: string, bytes: Uint8Array) => void) | undefined;
  /** The operating system's resolver by default. */
  readonly resolve?: Resolve | undefined;
}

/** Makes the configured sinks. Nothing is opened, resolved or loaded before the first delivery. */
export function openSinks(configs: readonly SinkConfig[], options: OpenSinksOptions): readonly Sink[] {
  return configs.map((config) => {
    const fingerprint = sinkFingerprint(config);
    const { root, environment, clock, onOutput, resolve } = options;
    switch (config.type) {
      case 'file':
        return new FileSink({ ...config, fingerprint, root });
      case 'command':
        return new CommandSink({ ...config, fingerprint, root, environment, onOutput });
      case 'webhook': {
        const allowPrivate = options.allowPrivate?.includes(config.name) === true;
        return new WebhookSink({ ...config, fingerprint, environment, clock, allowPrivate, resolve });
      }
    }
  });
}
