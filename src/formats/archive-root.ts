/** Where the files of an export lie in an archive, from their paths alone: many archives have all in one top folder. */

/** The folder, with its slash, that the file of this name lies in; the outermost, undefined where there is none. */
export function rootFolder(paths: readonly string[], marker: string): string | undefined {
  let found: string | undefined;
  for (const path of paths) {
    if (path !== marker && !path.endsWith(`/${marker}`)) continue;
    if (found === undefined || path.length < found.length) found = path;
  }
  return found?.slice(0, found.length - marker.length);
}

/** The paths below that folder, from there; none where it is not there. */
export function pathsBelow(paths: readonly string[], marker: string): string[] {
  const folder = rootFolder(paths, marker);
  if (folder === undefined) return [];
  return paths.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length));
}
