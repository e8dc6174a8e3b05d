/** Data made harmless for the documents it is put into. */

/** Data in a Markdown table: nothing in it may end the cell or start markup. */
export function cell(text: string): string {
  return text.replaceAll(/[\\|`*_<>[\]#]/gu, (char) => `\\${char}`);
}

/** Data in HTML, between tags or in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
