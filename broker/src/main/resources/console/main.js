// The frame of the page: which view, whether the broker answers, light or dark, keys.

import { h, put } from './dom.js';
import { line, poll } from './api.js';
import { clock, span } from './format.js';
import { show } from './dialog.js';
import { pressure, refusal } from './parts.js';
import { overview } from './views/overview.js';
import { topics } from './views/topics.js';
import { topic } from './views/topic.js';
import { groups } from './views/groups.js';
import { group } from './views/group.js';
import { records } from './views/records.js';
import { deadLetters } from './views/deadletters.js';
import { replays } from './views/replays.js';
import { toggles } from './views/toggles.js';
import { links } from './views/links.js';
import { quotas } from './views/quotas.js';
import { audit } from './views/audit.js';

const VIEWS = [
  { name: '', label: 'Overview', key: 'o', open: [overview] },
  { name: 'topics', label: 'Topics', key: 't', open: [topics, topic] },
  { name: 'groups', label: 'Groups', key: 'g', open: [groups, null, group] },
  { name: 'records', label: 'Records', key: 'r', open: [records, records] },
  { name: 'deadletters', label: 'Dead letters', key: 'd', open: [deadLetters, deadLetters] },
  { name: 'replays', label: 'Replays', key: 'p', open: [replays] },
  { name: 'toggles', label: 'Toggles', key: 's', open: [toggles] },
  { name: 'quotas', label: 'Quotas', key: 'q', open: [quotas] },
  { name: 'links', label: 'Links', key: 'l', open: [links] },
  { name: 'audit', label: 'Audit', key: 'a', open: [audit] },
];

const main = document.getElementById('main');
let leaving = new AbortController();

/** What a view gets: its place in the address, and a way to ask that ends with it. */
function context(parts, query, signal) {
  return {
    parts,
    query,
    signal,
    poll: (path, parameters, everyMs, onData, onRefused = (error) => put(main, refusal(error))) =>
      poll(path, parameters, everyMs, signal, onData, onRefused),
    /** Puts what is shown into the address, without leaving. */
    remember: (values) => {
      const kept = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== '' && value !== undefined));
      const place = [...parts].map(encodeURIComponent).join('/');
      history.replaceState(null, '', `#/${place}${kept.size ? `?${kept}` : ''}`);
    },
  };
}

function open(isFirst) {
  const [path, search = ''] = location.hash.replace(/^#\/?/, '').split('?', 2);
  let parts;
  try {
    parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  } catch {
    parts = [];
  }
  const view = VIEWS.find((each) => each.name === (parts[0] ?? ''));
  const render = view?.open[Math.max(0, parts.length - 1)];
  leaving.abort();
  leaving = new AbortController();
  document.querySelectorAll('#nav a').forEach((a) => {
    if (a.dataset.view === (parts[0] ?? '')) {
      a.setAttribute('aria-current', 'page');
    } else {
      a.removeAttribute('aria-current');
    }
  });
  document.title = `${[...parts.slice(1)].pop() ?? view?.label ?? 'Spillway'} · Spillway`;
  main.replaceChildren();
  if (render) {
    render(main, context(parts, new URLSearchParams(search), leaving.signal));
  } else {
    put(main, h('h1', {}, 'There is no such view'), h('p', {}, h('a', { href: '#/' }, 'To the overview')));
  }
  if (!isFirst) {
    main.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
}

// ---- the line to the broker

const gone = document.getElementById('gone');
const state = document.getElementById('line');

function showLine() {
  const isGone = line.goneMs > 0;
  document.body.classList.toggle('is-gone', isGone);
  gone.hidden = !isGone;
  if (isGone) {
    put(gone, h('strong', {}, `The broker at ${location.host} does not answer`),
      line.lastMs ? ` since ${clock(line.lastMs)}. What is shown is of then.` : '.',
      ` Trying again by itself; ${span(Date.now() - line.goneMs)} so far.`);
    put(state, h('span', { class: 'sign', 'aria-hidden': 'true' }, '■'), 'broker gone');
  } else if (line.lastMs) {
    put(state, h('span', { class: 'sign', 'aria-hidden': 'true' }, '●'), 'live');
  } else {
    put(state, 'connecting');
  }
}

line.listeners.add(showLine);
setInterval(() => line.goneMs && showLine(), 1_000);
poll('/api/overview', {}, 2_000, new AbortController().signal, (now) => {
  put(document.getElementById('node'), now.node, h('span', { class: 'dim' }, ` ${now.version}`),
    now.pressure.worst.state === 'NORMAL' ? null : pressure(now.pressure.worst.state),
    now.draining ? h('span', { class: 'badge warn' }, '▲ draining') : null);
  showLine();
}, () => showLine());

// ---- light and dark

const themes = ['auto', 'light', 'dark'];
const themeButton = document.getElementById('theme');

function stored() {
  try {
    return localStorage.getItem('spillway-theme') ?? 'auto';
  } catch {
    return 'auto';
  }
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  themeButton.textContent = { auto: 'Light/dark: auto', light: 'Light', dark: 'Dark' }[name];
  themeButton.setAttribute('aria-label', `Colours: ${name}. Change.`);
  try {
    localStorage.setItem('spillway-theme', name);
  } catch {
    // A browser that keeps nothing shows it all the same.
  }
}

themeButton.addEventListener('click', () =>
  theme(themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length]));
theme(themes.includes(stored()) ? stored() : 'auto');

// ---- keys

function help() {
  show('Keys', h('table', { class: 'keys' }, h('tbody', {},
    VIEWS.map((view) => h('tr', {}, h('td', {}, h('kbd', {}, 'g'), ' ', h('kbd', {}, view.key)), h('td', {}, view.label))),
    [['/', 'Find in the list'], ['Enter', 'Open the marked row'], ['j k', 'Next, previous row'],
      ['← →', 'In a plot: look at another time'], ['n p', 'In records: older, newer'], ['?', 'This list']].map(([keys, what]) =>
      h('tr', {}, h('td', {}, keys.split(' ').flatMap((key, i) => [i ? ' ' : '', h('kbd', {}, key)])), h('td', {}, what))))));
}

let isGoing = false;

function step(by) {
  const rows = [...main.querySelectorAll('tr.opens')];
  const at = rows.indexOf(document.activeElement);
  rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))]?.focus();
}

document.addEventListener('keydown', (event) => {
  const isTyping = event.target.closest?.('input, textarea, select, dialog');
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  const view = isGoing && VIEWS.find((each) => each.key === event.key);
  isGoing = false;
  if (view) {
    location.hash = `#/${view.name}`;
  } else if (event.key === 'g') {
    isGoing = true;
    return;
  } else if (event.key === '?') {
    help();
  } else if (event.key === 'j' || event.key === 'k') {
    step(event.key === 'j' ? 1 : -1);
  } else {
    const wanted = main.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!wanted) {
      return;
    }
    wanted.matches('input') ? wanted.focus() : wanted.click();
  }
  event.preventDefault();
});
document.getElementById('keys').addEventListener('click', help);

// ---- begin

document.getElementById('nav').append(...VIEWS.map((view) =>
  h('li', {}, h('a', { href: `#/${view.name}`, 'data-view': view.name }, view.label))));
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener('hashchange', () => open(false));
open(true);
