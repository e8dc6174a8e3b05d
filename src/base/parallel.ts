/**
 * Runs `run` for every item, at most `limit` at a time, and gives the results in the order of the items.
 *
 * After a failure no further item is started; the first failure is thrown once all that were running have ended,
 * so nothing goes on behind the caller's back.
 */
export async function mapLimited<Item, Result>(
  items: readonly Item[],
  limit: number,
  run: (item: Item, position: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const failures: unknown[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const position = next;
      next += 1;
      try {
        results[position] = await run(items[position] as Item, position);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  if (failures.length > 0) throw failures[0];
  return results;
}
