// Small parts that views share.

import { h, put } from './dom.js';
import { Gone } from './api.js';

/** Shape and word as well as colour. */
const SIGNS = { good: '●', note: '◆', warn: '▲', bad: '■', idle: '○' };

export function badge(kind, label, title) {
  return h('span', { class: `badge ${kind}`, title },
    h('span', { class: 'sign', 'aria-hidden': 'true' }, SIGNS[kind]), label);
}

const PRESSURE = { NORMAL: 'good', ELEVATED: 'note', THROTTLED: 'warn', OVERLOADED: 'bad', READ_ONLY: 'bad' };

export function pressure(state) {
  return badge(PRESSURE[state] ?? 'note', state.toLowerCase().replace('_', ' '));
}

const MEMBER = {
  READY: 'good', DEGRADED: 'warn', CRITICAL: 'bad', DRAINING: 'note', EJECTED: 'bad', PROBING: 'note',
};

export function member(state) {
  return badge(MEMBER[state] ?? 'idle', state.toLowerCase());
}

/** A heading with what can be done. */
export function heading(title, ...actions) {
  return h('div', { class: 'heading' }, h('h1', {}, title), h('span', { class: 'grow' }),
    h('div', { class: 'actions' }, ...actions));
}

export function crumbs(...parts) {
  return h('p', { class: 'crumbs' }, parts.flatMap(([label, href], i) =>
    [i ? ' / ' : '', href ? h('a', { href }, label) : h('span', {}, label)]));
}

export function button(label, onclick, kind = '') {
  return h('button', { type: 'button', class: kind, onclick }, label);
}

export function panel(title, ...children) {
  return h('section', { class: 'panel' }, title && h('h2', {}, title), ...children);
}

/** Names and values. */
export function facts(pairs) {
  return h('dl', { class: pairs.length > 9 ? 'facts many' : 'facts' }, pairs.filter(Boolean).flatMap(([name, value]) =>
    [h('dt', {}, name), h('dd', {}, value === '' ? '–' : value)]));
}

export function bar(share, label) {
  const percent = Math.max(0, Math.min(100, share * 100));
  const inner = h('span', { class: 'bar-fill' });
  inner.style.width = `${percent}%`;
  return h('span', { class: 'bar', role: 'img', 'aria-label': label }, inner);
}

export function link(href, label) {
  return h('a', { href }, label);
}

export const to = {
  topic: (name) => `#/topics/${encodeURIComponent(name)}`,
  group: (topic, group) => `#/groups/${encodeURIComponent(topic)}/${encodeURIComponent(group)}`,
  records: (topic, query = '') => `#/records/${encodeURIComponent(topic)}${query}`,
  deadLetters: (topic) => `#/deadletters/${encodeURIComponent(topic)}`,
};

/** What went wrong, in three sentences. */
export function refusal(error) {
  return h('div', { class: 'refusal', role: 'alert' },
    h('strong', {}, error.message),
    error.why && h('div', {}, h('span', { class: 'dim' }, 'Why: '), error.why),
    error.next && h('div', {}, h('span', { class: 'dim' }, 'Next: '), error.next));
}

const TOAST_MS = 6_000;
const MAX_TOASTS = 3;

export function toast(content, isError = false) {
  const close = () => note.remove();
  const note = h('div', { class: `toast${isError ? ' error' : ''}` }, content,
    h('button', { type: 'button', class: 'quiet', 'aria-label': 'Close', onclick: close }, '×'));
  const notes = document.getElementById('toasts');
  notes.append(note);
  [...notes.children].slice(0, -MAX_TOASTS).forEach((old) => old.remove());
  if (!isError) {
    setTimeout(close, TOAST_MS);
  }
}

export function failed(error) {
  toast(error instanceof Gone ? h('strong', {}, 'The broker does not answer; nothing was done, or nothing is known of it.')
    : refusal(error), true);
}

/** A field that finds: waits a moment after each key. */
export function search(label, value, onchange) {
  let timer = 0;
  return h('input', {
    type: 'search', class: 'search', placeholder: label, 'aria-label': label, value, spellcheck: 'false',
    autocomplete: 'off', 'data-key': '/',
    oninput: (event) => {
      clearTimeout(timer);
      timer = setTimeout(() => onchange(event.target.value.trim()), 200);
    },
  });
}

export function empty(element, words) {
  put(element, h('p', { class: 'empty' }, words));
}

const SEVERITY = { OK: 'good', WARNING: 'warn', CRITICAL: 'bad', UNKNOWN: 'idle' };
const SHOWN = 12;

function place(found) {
  if (found.kind === 'group') {
    return link(to.group(found.topic, found.name), found.about);
  }
  return found.kind === 'topic' ? link(to.topic(found.topic || found.name), found.about) : found.about;
}

/** What /diagnose says is wrong, the worst first; nothing when nothing is. */
export function diagnoses(all) {
  const wrong = all.filter((found) => found.severity === 'WARNING' || found.severity === 'CRITICAL');
  if (wrong.length === 0) {
    return [];
  }
  return [panel(`What is wrong (${wrong.length})`, wrong.slice(0, SHOWN).map((found) =>
    h('div', { class: `cause ${found.severity === 'CRITICAL' ? '' : 'warn'}` },
      h('div', {}, badge(SEVERITY[found.severity], found.cause.toLowerCase().replaceAll('_', ' ')), ' ', place(found), ': ', h('strong', {}, found.what)),
      found.why && h('div', {}, h('span', { class: 'dim' }, 'Why: '), found.why),
      found.next_step && h('div', {}, h('span', { class: 'dim' }, 'Next: '), h('code', {}, found.next_step)))),
  wrong.length > SHOWN && h('p', { class: 'empty' }, `And ${wrong.length - SHOWN} more: spillway diagnose.`))];
}
