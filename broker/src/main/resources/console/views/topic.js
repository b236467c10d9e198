// One topic: what it moves, its partitions, its groups, its settings, and what can be done with it.

import { h, put } from '../dom.js';
import { chart } from '../chart.js';
import { brief, bytes, count, rate, time } from '../format.js';
import { button, crumbs, diagnoses, facts, heading, link, panel, refusal, to } from '../parts.js';
import { ask, change, REASON } from '../dialog.js';
import { post } from '../api.js';
import { toast } from '../parts.js';
import { table } from '../table.js';
import { groupColumns } from './groups.js';
import { readSettings, topicBadges } from './topics.js';

export function topic(root, context) {
  const name = context.parts[1];
  let now = null;
  const badges = h('span', {});
  const problem = h('div', {});
  const wrong = h('div', {});
  const moving = chart('Records a second', [{ name: 'published', label: 'published' }, { name: 'acked', label: 'acked' }], rate);
  const waiting = chart('Backlog', [{ name: 'backlog', label: 'not acked' }, { name: 'in_flight', label: 'in flight' }], brief);
  const forgotten = h('p', { class: 'empty', hidden: true });
  const settings = h('div', {});
  const partitions = table([
    { label: 'Partition', cell: (row) => String(row.partition) },
    { label: 'First', number: true, cell: (row) => count(row.start) },
    { label: 'End', number: true, cell: (row) => count(row.end) },
    { label: 'Visible to', number: true, minor: true, cell: (row) => count(row.visible) },
    { label: 'Kept', number: true, cell: (row) => count(row.end - row.start) },
    { label: 'Stored', number: true, cell: (row) => bytes(row.bytes) },
    { label: 'Corrupt', number: true, minor: true, cell: (row) => count(row.corrupt_batches) },
    { label: '', cell: (row) => link(to.records(name, `?partition=${row.partition}`), 'records') },
  ], { key: (row) => String(row.partition), caption: 'Partitions', empty: 'None.' });
  const groups = table(groupColumns(false), {
    key: (row) => row.group, caption: 'Groups', empty: 'No group reads this topic.', onopen: (row) => {
      location.hash = to.group(name, row.group);
    },
  });
  const publish = button('Pause publishing', () => pause('publish', 'publish_paused', 'publishing to'));
  const dispatch = button('Pause dispatch', () => pause('dispatch', 'dispatch_paused', 'dispatch of'));
  root.append(crumbs(['Topics', '#/topics'], [name]),
    heading(name, link(to.records(name), 'Records'), name.endsWith('.dlq') ? null : link(to.deadLetters(`${name}.dlq`), 'Dead letters'),
      publish, dispatch, button('Purge', purge), button('Delete', remove, 'danger')),
    h('p', {}, badges), problem, wrong, h('div', { class: 'charts' }, moving.element, waiting.element), forgotten,
    panel('Groups', groups.element), panel('Partitions', partitions.element),
    panel('Settings', settings, h('div', { class: 'actions end' }, button('Change settings', alter))));

  context.poll('/api/topic', { name }, 2_000, (found) => {
    now = found;
    problem.replaceChildren();
    put(badges, ...topicBadges(found), found.switch_reason && h('span', { class: 'dim' }, ` ${found.switch_reason} (${time(found.switched_ms)})`));
    publish.textContent = found.publish_paused ? 'Resume publishing' : 'Pause publishing';
    dispatch.textContent = found.dispatch_paused ? 'Resume dispatch' : 'Pause dispatch';
    partitions.update(found.partitions);
    groups.update(found.groups);
    put(settings, facts([...Object.entries(found.config), ['created', time(found.created_ms)], ['shard', String(found.shard)],
      ['revision', String(found.revision)]]));
  }, (error) => problem.replaceChildren(refusal(error)));
  context.poll('/api/history', { topic: name }, 10_000, (history) => {
    forgotten.hidden = history.remembered;
    if (history.remembered) {
      moving.update(history);
      waiting.update(history);
    } else {
      put(forgotten, `There is no history yet, or there were ${count(history.topics_remembered)} topics before this one.`);
    }
  }, () => {});

  context.poll('/diagnose', { topic: name }, 4_000, (found) => put(wrong, ...diagnoses(found.diagnoses)), () => wrong.replaceChildren());

  function pause(which, state, words) {
    const isPaused = now?.[state];
    const verb = isPaused ? 'Resume' : 'Pause';
    return change({
      title: `${verb} ${words} ${name}`, action: verb, path: `/api/topic/${isPaused ? 'resume' : 'pause'}`,
      text: isPaused ? undefined : which === 'publish' ? 'Clients are refused with THROTTLED until it is resumed.'
        : 'Groups and readers get nothing new and keep what they have.',
      parameters: { topic: name, [which]: true }, done: `${words} ${name}: ${isPaused ? 'resumed' : 'paused'}.`,
    });
  }

  function purge() {
    return change({
      title: `Purge ${name}`, action: 'Purge', danger: true, path: '/api/topic/purge', parameters: { topic: name },
      text: 'What lies before the position is gone for every group, for ever.',
      fields: [{ name: 'before', label: 'Before', value: 'latest', required: true,
        hint: 'latest, offset:PARTITION:OFFSET, or time:MILLISECONDS' }],
      done: `${name} is purged.`,
    });
  }

  function remove() {
    return ask({
      title: `Delete ${name}`, action: 'Delete', danger: true,
      text: 'All its records and groups go with it. Type its name to be sure.',
      fields: [{ name: 'sure', label: 'Name of the topic', required: true, pattern: RegExp.escape?.(name) ?? name.replace(/[.]/g, '\\.') }, REASON],
      act: async ({ reason }) => {
        await post('/api/topic/delete', { topic: name, reason });
        toast(`Topic ${name} is deleted.`);
        location.hash = '#/topics';
      },
    });
  }

  function alter() {
    return change({
      title: `Settings of ${name}`, action: 'Change', path: '/api/topic/alter',
      parameters: { topic: name, expect_revision: now?.revision },
      fields: [{ name: 'settings', label: 'Settings', type: 'area', required: true,
        value: Object.entries(now?.config ?? {}).map(([key, value]) => `${key}=${value}`).join('\n') }],
      prepare: ({ settings: text, ...values }) => ({ ...values, ...changed(readSettings(text), now.config) }),
      done: `The settings of ${name} are changed.`,
    });
  }
}

/** Only what is different: each is a change that is checked. */
function changed(wanted, before) {
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => before[key.slice(4)] !== value));
}
