/** Damage as it happens, and as somebody does it on purpose. */
import type { Random } from '../bench/random.ts';

/** What readers stumble over. */
const POISON: readonly Buffer[] = [
  '\0',
  '\ufeff',
  '\r',
  '"',
  '\\',
  '{',
  '}',
  '[[[[[[[[',
  '{"a":'.repeat(2000),
  '['.repeat(5000),
  '"__proto__":{"x":1},',
  '"constructor":1,',
  '1e999',
  '99999999999999999999',
  '-1',
  'null',
  '&amp;'.repeat(50),
  '<!DOCTYPE a [<!ENTITY b "c">]>',
  '*a &a [*a, *a]',
  '\u202e',
  '\u2028',
  '😀',
  'ß'.repeat(3000),
]
  .map((text) => Buffer.from(text))
  .concat([
    Buffer.from('eda080', 'hex'),
    Buffer.from('eda0bdedb880', 'hex'),
    Buffer.from('c080', 'hex'),
    Buffer.from('ff', 'hex'),
  ]);

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  flip,
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => splice(bytes, random, Buffer.alloc(0)),
  (bytes, random) => splice(bytes, random, piece(bytes, random)),
  (bytes, random) => splice(bytes, random, random.pick(POISON), 0),
  (bytes, random) => splice(bytes, random, random.pick(POISON)),
  (bytes, random) => Buffer.concat([bytes, piece(bytes, random)]),
];

/** One to three pieces of damage. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  let result = bytes;
  for (let left = 1 + random.below(3); left > 0; left -= 1) result = random.pick(MUTATIONS)(result, random);
  return result;
}

function flip(bytes: Buffer, random: Random): Buffer {
  const result = Buffer.from(bytes);
  if (result.length === 0) return result;
  const at = random.below(result.length);
  result.writeUInt8(result.readUInt8(at) ^ (1 << random.below(8)), at);
  return result;
}

function piece(bytes: Buffer, random: Random): Buffer {
  const start = random.below(bytes.length + 1);
  return bytes.subarray(start, start + random.below(200));
}

/** Puts something in the place of some bytes. */
function splice(bytes: Buffer, random: Random, put: Buffer, takenBytes = random.below(40)): Buffer {
  const at = random.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + takenBytes)]);
}
