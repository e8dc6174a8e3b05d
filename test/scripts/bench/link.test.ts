import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Link } from '../../../scripts/bench/link.ts';

/** Answers with what it got, after the sender has ended. */
const server = createServer({ allowHalfOpen: true }, (socket) => {
  void buffer(socket).then((bytes) => socket.end(bytes));
});

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(() => server.close());

const endpoint = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

async function echoed(link: Link, bytes: Buffer): Promise<Buffer> {
  const socket = connect({ port: Number(new URL(link.endpoint).port), host: '127.0.0.1', allowHalfOpen: true });
  socket.end(bytes);
  return buffer(socket);
}

describe('a link', () => {
  test.for([undefined, { bitsPerSecond: 80_000_000, roundTripMs: 4 }])(
    'of shape %j carries all bytes in their order, and counts them',
    async (shape) => {
      const link = await Link.to(endpoint(), shape);
      const sent = randomBytes(700_000);
      const [first, second] = await Promise.all([echoed(link, sent), echoed(link, sent.subarray(0, 1000))]);
      expect(first.equals(sent)).toBe(true);
      expect(second.equals(sent.subarray(0, 1000))).toBe(true);
      expect(link.takeTraffic()).toEqual({ sent: 701_000, received: 701_000 });
      expect(link.takeTraffic()).toEqual({ sent: 0, received: 0 });
      await link.close();
    },
  );

  test('to a server that is gone ends the connection', async () => {
    const link = await Link.to('http://127.0.0.1:9');
    const socket = connect(Number(new URL(link.endpoint).port), '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'close');
    expect(socket.bytesRead).toBe(0);
    await link.close();
  });
});
