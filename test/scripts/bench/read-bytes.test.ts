import { describe, expect, test } from 'vitest';
import { bytesReadBelow } from '../../../scripts/bench/read-bytes.ts';

const OUTPUT = `read(21</far/remote/packs/m/01K>, ""..., 65536) = 4096
pread64(22</far/remote/packs/d/01K>, ""..., 65536, 8192) = 1000
preadv(22</far/remote/packs/d/01K>, [{iov_base=""..., iov_len=50}], 1, 0) = 50
read(23</far/remote-2/packs/d/01K>, ""..., 65536) = 100000
read(24</near/.uttr/packs/d/01K>, ""..., 65536) = 100000
read(21</far/remote/packs/m/01K>, ""..., 65536) = 0
read(21</far/remote/packs/m/01K>, ""..., 65536) = -1 EAGAIN (Resource temporarily unavailable)
read(25<pipe:[1234]>, ""..., 512) = 512
mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 26</lib/libc.so.6>, 0) = 0x7f3c7a000000
mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f3c7b000000
--- SIGTERM {si_signo=SIGTERM} ---
+++ exited with 0 +++
`;

describe('bytes read below a folder', () => {
  test('are those that calls on its files returned', () => {
    expect(bytesReadBelow('/far/remote', OUTPUT)).toBe(4096 + 1000 + 50);
    expect(bytesReadBelow('/elsewhere', OUTPUT)).toBe(0);
  });

  test('cannot be counted where its files are mapped into memory', () => {
    const mapped = 'mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 26</far/remote/packs/d/01K>, 0) = 0x7f3c7a000000\n';
    expect(() => bytesReadBelow('/far/remote', mapped)).toThrow('mapped into memory');
  });
});
