/**
 * How wit.ai names entities: `type:role`, where the role is the type again if there is none. Types that wit.ai brings
 * start with `wit$`, which their role leaves out.
 */

/** Levels of entities within entities; wit.ai itself has two. */
export const NESTING_LIMIT = 8;

/** The role that is meant where none is named. */
export function defaultRole(type: string): string {
  return type.replace(/^wit\$/u, '');
}

/** `location:from` in its parts; a role that says nothing is left out. */
export function parseEntityName(name: string): { readonly type: string; readonly role: string | undefined } {
  const at = name.indexOf(':');
  if (at < 0) return { type: name, role: undefined };
  const [type, role] = [name.slice(0, at), name.slice(at + 1)];
  return { type, role: role === defaultRole(type) || role === type ? undefined : role };
}

/** The opposite; undefined where the name would be read as another one. */
export function formatEntityName({
  type,
  role,
}: {
  readonly type: string;
  readonly role?: string;
}): string | undefined {
  return type.includes(':') ? undefined : `${type}:${role ?? defaultRole(type)}`;
}
