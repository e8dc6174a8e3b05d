/** Starts work on items before its results are asked for, a bounded number at a time. */

/**
 * Yields `work(item)` for each item in order, with up to `depth` further ones under way meanwhile.
 */
export async function* mapAhead<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  depth: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const underWay: Promise<R>[] = [];
  for await (const item of items) {
    const result = work(item);
    // A failure is met when its turn comes; until then it must not count as unhandled.
    result.catch(() => undefined);
    underWay.push(result);
    if (underWay.length > depth) yield await (underWay.shift() as Promise<R>);
  }
  for (const result of underWay) yield await result;
}
