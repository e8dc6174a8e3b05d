/**
 * Patterns of paths as `data_files` has them: `*` and `?` within a folder, `**` over folders, `[ab]` for one of some.
 *
 * Matched by a table instead of a regular expression: a pattern of many stars must not take for ever.
 */

/** For each length of a path, whether what came before fits so much of it; to the same with one part more. */
type Part = (fits: readonly boolean[], path: string) => boolean[];

/** One character. */
function one(accepts: (character: string) => boolean): Part {
  return (fits, path) =>
    fits.map((_, length) => length > 0 && fits[length - 1] === true && accepts(path[length - 1] as string));
}

/** Any number of characters, also none. */
function many(accepts: (character: string) => boolean): Part {
  return (fits, path) => {
    let isOpen = false;
    return fits.map((fit, length) => {
      isOpen = fit || (isOpen && accepts(path[length - 1] as string));
      return isOpen;
    });
  };
}

/** Any number of whole folders, also none. */
const folders: Part = (fits, path) => {
  let isOpen = false;
  return fits.map((fit, length) => {
    const result = fit || (isOpen && path[length - 1] === '/');
    isOpen ||= fit;
    return result;
  });
};

const isInName = (character: string): boolean => character !== '/';

/** Whether a path fits a pattern; both have slashes. */
export function fitsPattern(path: string, pattern: string): boolean {
  let fits: boolean[] = Array.from({ length: path.length + 1 }, (_, length) => length === 0);
  for (const part of partsOf(pattern.replace(/^\.\//u, ''))) fits = part(fits, path);
  return fits[path.length] === true;
}

function partsOf(pattern: string): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] as string;
    const close = character === '[' ? pattern.indexOf(']', at + 2) : -1;
    if (pattern.startsWith('**/', at) && (at === 0 || pattern[at - 1] === '/')) {
      parts.push(folders);
      at += 2;
    } else if (pattern.startsWith('**', at)) {
      parts.push(many(() => true));
      at += 1;
    } else if (character === '*') parts.push(many(isInName));
    else if (character === '?') parts.push(one(isInName));
    else if (close > 0) {
      parts.push(one(oneOf(pattern.slice(at + 1, close))));
      at = close;
    } else parts.push(one((other) => other === character));
  }
  return parts;
}

function oneOf(set: string): (character: string) => boolean {
  const isNegated = set.startsWith('!');
  const members = isNegated ? set.slice(1) : set;
  return (character) => {
    let isIn = false;
    for (let at = 0; at < members.length; at++) {
      const from = members[at] as string;
      const isRange = members[at + 1] === '-' && at + 2 < members.length;
      const to = isRange ? (members[at + 2] as string) : from;
      isIn ||= character >= from && character <= to;
      if (isRange) at += 2;
    }
    return isIn !== isNegated;
  };
}
