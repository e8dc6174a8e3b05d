/**
 * A link between a program and a server, on this machine: it counts what is sent, and can be made as slow as a real one.
 *
 * Each direction of all connections together has so many bits a second; each piece arrives so much later.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LinkShape {
  readonly bitsPerSecond: number;
  /** From one end to the other and back. */
  readonly roundTripMs: number;
}

/** Bytes passed on. */
export interface Traffic {
  readonly sent: number;
  readonly received: number;
}

/** Pieces on the way to the slow side; a sender that is further ahead waits. */
const AHEAD_BYTES = 256 * 1024;

export class Link {
  readonly endpoint: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #up: Lane;
  readonly #down: Lane;

  private constructor(server: Server, target: URL, shape: LinkShape | undefined) {
    this.#server = server;
    this.#up = new Lane(shape);
    this.#down = new Lane(shape);
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (near) => {
      const far = connect({ port: Number(target.port), host: target.hostname, allowHalfOpen: true });
      this.#join(near, far);
    });
  }

  /** @param endpoint of an HTTP server; without a shape, bytes pass at once and are only counted */
  static async to(endpoint: string, shape?: LinkShape): Promise<Link> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Link(server, new URL(endpoint), shape);
  }

  /** Bytes since the last call. */
  takeTraffic(): Traffic {
    return { sent: this.#up.takeBytes(), received: this.#down.takeBytes() };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket, far: Socket): void {
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.setNoDelay();
      socket.on('error', () => socket.destroy());
      socket.once('close', (hasFailed) => {
        this.#sockets.delete(socket);
        // One that has ended as it should may have sent bytes that are still on their way.
        if (hasFailed) for (const other of [near, far]) other.destroy();
      });
    }
    this.#up.carry(near, far);
    this.#down.carry(far, near);
  }
}

/** One direction. */
class Lane {
  readonly #bytesPerMs: number;
  readonly #delayMs: number;
  #bytes = 0;
  /** When the last byte so far has left. */
  #freeAt = 0;

  constructor(shape: LinkShape | undefined) {
    this.#bytesPerMs = shape === undefined ? Infinity : shape.bitsPerSecond / 8 / 1000;
    this.#delayMs = shape === undefined ? 0 : shape.roundTripMs / 2;
  }

  takeBytes(): number {
    const bytes = this.#bytes;
    this.#bytes = 0;
    return bytes;
  }

  carry(from: Socket, to: Socket): void {
    let waiting = 0;
    let last: Promise<void> = Promise.resolve();
    from.on('data', (piece: Buffer) => {
      this.#bytes += piece.length;
      if (this.#delayMs === 0 && this.#bytesPerMs === Infinity) {
        if (!to.write(piece)) pauseUntilDrained(from, to);
        return;
      }
      const now = performance.now();
      this.#freeAt = Math.max(now, this.#freeAt) + piece.length / this.#bytesPerMs;
      const arrives = this.#freeAt + this.#delayMs;
      waiting += piece.length;
      if (waiting > AHEAD_BYTES) from.pause();
      last = last.then(async () => {
        await sleep(Math.max(0, arrives - performance.now()));
        waiting -= piece.length;
        if (waiting <= AHEAD_BYTES) from.resume();
        if (!to.destroyed) to.write(piece);
      });
    });
    from.on('end', () => void last.then(() => to.end()));
  }
}

function pauseUntilDrained(from: Socket, to: Socket): void {
  from.pause();
  to.once('drain', () => from.resume());
}
