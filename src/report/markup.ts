/** Data made harmless for the documents it is put into. */

/** Data in a Markdown table: nothing in it may end the cell or start markup. */
export function cell(text: string): string {
  return text.replaceAll(/[\\|`*_<>[\]#]/gu, (char) => `\\${char}`);
}

/** Data in HTML, between tags or in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** How our pages look: rules for the elements that all of them use, light or dark as the reader's system is. */
export const PAGE_STYLE =
  ':root{color-scheme:light dark}' +
  'body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem}' +
  'table{border-collapse:collapse;width:100%}' +
  'td,th{border-bottom:1px solid #8884;padding:.3rem .6rem;text-align:left;vertical-align:top}' +
  '.n{text-align:right}';
