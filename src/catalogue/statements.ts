/** Statements of one catalogue: each is prepared once, and its errors are ours. */
import { type Db, translateSqliteError } from './database.ts';

type Statement = ReturnType<typeof prepare>;
const prepare = (db: Db, sql: string) => db.prepare(sql);

export class Statements {
  readonly #db: Db;
  readonly #prepared = new Map<string, Statement>();

  constructor(db: Db) {
    this.#db = db;
  }

  get(sql: string, ...parameters: unknown[]): unknown {
    try {
      return this.#statement(sql).get(...parameters);
    } catch (error) {
      throw translateSqliteError(error);
    }
  }

  /** Whether a statement finds a row; without making one. */
  exists(sql: string, ...parameters: unknown[]): boolean {
    try {
      return (
        this.#statement(sql)
          .pluck()
          .get(...parameters) !== undefined
      );
    } catch (error) {
      throw translateSqliteError(error);
    }
  }

  all(sql: string, ...parameters: unknown[]): unknown[] {
    try {
      return this.#statement(sql).all(...parameters);
    } catch (error) {
      throw translateSqliteError(error);
    }
  }

  /** As `all`, each row as a list of its columns: that costs a third of making objects. */
  rows(sql: string, ...parameters: unknown[]): unknown[][] {
    try {
      return this.#statement(sql)
        .raw()
        .all(...parameters) as unknown[][];
    } catch (error) {
      throw translateSqliteError(error);
    }
  }

  /** Runs a statement; returns the number of the last row it added. */
  run(sql: string, ...parameters: unknown[]): number | bigint {
    try {
      return this.#statement(sql).run(...parameters).lastInsertRowid;
    } catch (error) {
      throw translateSqliteError(error);
    }
  }

  #statement(sql: string): Statement {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = prepare(this.#db, sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}
