/**
 * JSON.parse with the right keys.
 *
 * V8 takes a key that is written with an escape for another one that ends with a backslash, once it has met that one in
 * an object of the same shape: after `{"a":[],"\\":0}` it reads the key `"` of `{"a":1,"\"":2}` as `\`
 * (https://github.com/nodejs/node/issues/63785). Texts with such keys are rare, and are taken apart here.
 */

/** As JSON.parse without a reviver. @throws SyntaxError */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return hasEscapedKey(text) ? new Walker(text).value() : value;
}

/** Whether a key of valid JSON is written with an escape. */
function hasEscapedKey(text: string): boolean {
  let at = text.indexOf('\\');
  while (at >= 0) {
    // Backslashes are only in strings.
    const end = endOfString(text, at);
    if (text[pastBlanks(text, end)] === ':') return true;
    at = text.indexOf('\\', end);
  }
  return false;
}

/** Past the quote that ends the string that `at` is in, where `at` is not in an escape. */
function endOfString(text: string, at: number): number {
  let end = at;
  while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  return end + 1;
}

function pastBlanks(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= 0x20) at++;
  return at;
}

/** Reads valid JSON. */
class Walker {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): unknown {
    const first = this.#next();
    if (first === '{') return this.#object();
    if (first === '[') return this.#items('[', ']', () => this.value());
    return first === '"' ? this.#string() : this.#scalar();
  }

  #object(): unknown {
    // Unlike an assignment, this makes even of `__proto__` a key like others; of equal keys the last one counts.
    return Object.fromEntries(
      this.#items('{', '}', () => {
        const key = this.#string();
        this.#skip(':');
        return [key, this.value()] as const;
      }),
    );
  }

  #items<T>(open: string, close: string, read: () => T): T[] {
    const items: T[] = [];
    this.#skip(open);
    while (this.#next() !== close) {
      items.push(read());
      if (this.#next() === ',') this.#at++;
    }
    this.#skip(close);
    return items;
  }

  #string(): string {
    this.#at = pastBlanks(this.#text, this.#at);
    const from = this.#at;
    this.#at = endOfString(this.#text, from + 1);
    return JSON.parse(this.#text.slice(from, this.#at)) as string;
  }

  #scalar(): unknown {
    const from = this.#at;
    while (this.#at < this.#text.length && !/[\s,\]}]/u.test(this.#text[this.#at] as string)) this.#at++;
    return JSON.parse(this.#text.slice(from, this.#at));
  }

  #next(): string | undefined {
    this.#at = pastBlanks(this.#text, this.#at);
    return this.#text[this.#at];
  }

  #skip(mark: string): void {
    if (this.#next() === mark) this.#at++;
  }
}
