/**
 * The script of the page: searches the rows, and tells how many are shown. Without it all but the search works.
 *
 * It is text, not a function: its digest is in the policy of the page, so it must be the same however we are built.
 */
export const SEARCH_SCRIPT = `
'use strict';
const box = document.querySelector('#search input');
const rows = [...document.querySelectorAll('#rows tbody tr')];
const form = document.querySelector('form');
const only = document.querySelector('#only-problems');
let texts;
let timer;
function refresh() {
  const wanted = box.value.trim().toLowerCase();
  texts ??= rows.map((row) => row.textContent.toLowerCase());
  const off = new Set();
  for (const effect of form.querySelectorAll('[id^="effect-"]')) {
    if (!effect.checked) off.add(effect.id.slice('effect-'.length));
  }
  let shown = 0;
  rows.forEach((row, at) => {
    const isFound = wanted === '' || texts[at].includes(wanted);
    if (row.hidden === isFound) row.hidden = !isFound;
    const isListed = !off.has(row.dataset.effect) && (!only.checked || row.classList.contains('problem'));
    if (isFound && isListed) shown++;
  });
  document.querySelector('#shown').textContent = shown + ' of ' + rows.length + ' rows';
}
form.addEventListener('submit', (event) => event.preventDefault());
form.addEventListener('input', () => {
  clearTimeout(timer);
  timer = setTimeout(refresh, 120);
});
document.querySelector('#search').hidden = false;
refresh();
`;
