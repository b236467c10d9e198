// One group: where it is, who its members are and how they do, and what can be done with it.

import { h, put } from '../dom.js';
import { count, plural, time } from '../format.js';
import { badge, bar, button, crumbs, diagnoses, facts, heading, link, member, panel, refusal, toast, to } from '../parts.js';
import { ask, change, REASON, show } from '../dialog.js';
import { post } from '../api.js';
import { table } from '../table.js';
import { groupState } from './groups.js';

export function group(root, context) {
  const [, topic, name] = context.parts;
  let now = null;
  const state = h('div', {});
  const wrong = h('div', {});
  const tiles = h('div', { class: 'tiles' });
  const settings = h('div', {});
  const pause = button('Pause', () => change(now?.paused
    ? { title: `Resume ${name}`, action: 'Resume', path: '/api/group/resume', parameters: { topic, group: name }, done: `${name} goes on.` }
    : { title: `Pause ${name}`, action: 'Pause', path: '/api/group/pause', parameters: { topic, group: name }, done: `${name} is paused.`,
      text: 'Its members get nothing new and keep what they have.' }));
  const members = table([
    { label: 'Member', cell: (row) => row.name || row.member },
    { label: 'Health', cell: (row) => [row.state ? member(row.state) : badge('idle', 'says nothing'),
      row.relieved ? badge('note', 'relieved') : null].filter(Boolean) },
    { label: 'Weight', cell: (row) => [bar(row.weight_pm / 2000, `weight ${row.weight_pm / 1000}`), h('span', {}, (row.weight_pm / 1000).toFixed(2))] },
    { label: 'In flight', number: true, cell: (row) => count(row.in_flight) },
    { label: 'Takes', cell: (row) => (row.paused ? badge('warn', 'paused') : row.active ? badge('good', 'active') : badge('idle', 'stands by')) },
    { label: 'Lease', number: true, minor: true, cell: (row) => `${row.lease_ms / 1000} s` },
    { label: 'Why', wide: true, cell: (row) => row.why || '–' },
  ], { key: (row) => row.member, caption: 'Members', empty: 'Nobody: records wait.' });
  const partitions = table([
    { label: 'Partition', cell: (row) => String(row.partition) },
    { label: 'Settled below', number: true, cell: (row) => count(row.cursor) },
    { label: 'End', number: true, cell: (row) => count(row.end) },
    { label: 'Lag', number: true, cell: (row) => count(row.lag) },
    { label: 'In flight', number: true, cell: (row) => count(row.in_flight) },
    { label: 'To retry', number: true, cell: (row) => count(row.waiting_retry) },
    { label: 'Scheduled', number: true, minor: true, cell: (row) => count(row.scheduled) },
    { label: 'Wait for a key', number: true, minor: true, cell: (row) => count(row.key_blocked) },
    { label: 'Dropped', number: true, minor: true, cell: (row) => count(row.dropped) },
    { label: '', cell: (row) => link(to.records(topic, `?partition=${row.partition}&offset=${row.cursor}`), 'next record') },
  ], { key: (row) => String(row.partition), caption: 'Partitions', empty: 'None.' });
  root.append(crumbs(['Topics', '#/topics'], [topic, to.topic(topic)], ['Groups', '#/groups'], [name]),
    heading(name, pause, button('Seek', seek), button('Snapshot', snapshot), button('Snapshots', snapshots),
      button('Delete', remove, 'danger')),
    state, wrong, tiles, panel('Members', members.element), panel('Partitions', partitions.element), panel('Settings', settings));

  context.poll('/api/group', { topic, group: name }, 1_500, (found) => {
    now = found;
    pause.textContent = found.paused ? 'Resume' : 'Pause';
    put(state, h('p', {}, groupState(found), h('span', { class: 'dim' }, ` ${found.mode}, ${plural(found.members, 'member')}`)),
      found.paused && h('div', { class: 'cause warn' }, h('strong', {}, 'It is paused'),
        h('div', {}, h('span', { class: 'dim' }, 'Why: '), found.pause_reason, h('span', { class: 'dim' }, ` since ${time(found.paused_ms)}`)),
        h('div', {}, h('span', { class: 'dim' }, 'Next: '), 'correct what is wrong, then resume it')),
      found.dispatch_paused && h('div', { class: 'cause warn' }, h('strong', {}, 'Dispatch of its topic is paused'),
        h('div', {}, h('span', { class: 'dim' }, 'Why: '), found.switch_reason)));
    put(tiles, ...[['lag', found.lag], ['in flight', found.in_flight], ['to retry', found.waiting_retry], ['scheduled', found.scheduled],
      ['acked', found.acked], ['dead letters', found.dead_lettered]].map(([label, value]) =>
      h('div', { class: 'tile' }, h('b', {}, count(value)), h('span', {}, label))));
    members.update(found.member_list);
    partitions.update(found.partitions);
    put(settings, facts([...Object.entries(found.config), ['created', time(found.created_ms)], ['revision', String(found.revision)]]));
  }, (error) => put(state, refusal(error)));

  context.poll('/diagnose', { topic, group: name }, 4_000, (found) => put(wrong, ...diagnoses(found.diagnoses)), () => wrong.replaceChildren());

  async function seek() {
    const wanted = await ask({
      title: `Seek ${name}`, action: 'Show what it would do', text: 'First it is shown what would move; nothing is changed yet.',
      fields: [
        { name: 'kind', label: 'To', type: 'select', value: 'earliest', options: [['earliest', 'the earliest record'], ['latest', 'the end'],
          ['time', 'a time'], ['offset', 'an offset of one partition']] },
        { name: 'time', label: 'Time', type: 'datetime-local', hint: 'For a time: yours, not UTC.' },
        { name: 'partition', label: 'Partition', type: 'number', min: 0, value: 0, hint: 'For an offset.' },
        { name: 'offset', label: 'Offset', type: 'number', min: 0, value: 0, hint: 'For an offset.' },
      ],
      act: async (values) => {
        const position = { time: `time:${new Date(values.time).getTime() || 0}`, offset: `offset:${values.partition}:${values.offset}` }[values.kind] ?? values.kind;
        const plan = await post('/api/group/seek', { topic, group: name, to: position, dry_run: true });
        return { position, plan };
      },
    });
    if (!wanted) {
      return;
    }
    const moves = wanted.plan.partitions.map((each) => `partition ${each.partition}: ${count(each.from)} → ${count(each.to)}`
      + ` (${each.to < each.from ? `${count(each.from - each.to)} again` : `${count(each.to - each.from)} skipped`})`);
    await change({
      title: `Move ${name}?`, action: 'Move it', danger: true, text: moves.slice(0, 20).join('; '), path: '/api/group/seek',
      parameters: { topic, group: name, to: wanted.position, expect_revision: now?.revision }, done: `${name} is moved.`,
    });
  }

  function snapshot() {
    return change({
      title: `Snapshot of ${name}`, action: 'Take it', text: 'Keeps where the group is, to go back to it later.', path: '/api/group/snapshot',
      parameters: { topic, group: name }, fields: [{ name: 'snapshot', label: 'Name', required: true }], done: 'The snapshot is taken.',
    });
  }

  async function snapshots() {
    const answer = await post('/api/group/snapshots', { topic, group: name, reason: 'looking' }).catch((error) => toast(refusal(error), true));
    if (!answer) {
      return;
    }
    const all = table([
      { label: 'Snapshot', cell: (row) => row.name },
      { label: 'Taken', cell: (row) => time(row.taken_ms) },
      { label: 'Reason', wide: true, cell: (row) => row.reason || '–' },
      { label: '', cell: (row) => [button('Restore', () => restore(row.name), 'small'), ' ', button('Delete', () => forget(row.name), 'small')] },
    ], { key: (row) => row.name, caption: 'Snapshots', empty: 'There is none.' });
    all.update(answer.snapshots);
    const dialog = show(`Snapshots of ${name}`, all.element);

    function restore(which) {
      dialog.close();
      return change({ title: `Restore ${which}`, action: 'Restore', danger: true, path: '/api/group/restore', done: `${name} is back at ${which}.`,
        parameters: { topic, group: name, snapshot: which }, text: 'The group goes back to where it was then.' });
    }

    function forget(which) {
      dialog.close();
      return change({ title: `Delete the snapshot ${which}`, action: 'Delete', danger: true, path: '/api/group/delete-snapshot',
        parameters: { topic, group: name, snapshot: which }, done: `The snapshot ${which} is deleted.` });
    }
  }

  function remove() {
    return ask({
      title: `Delete ${name}`, action: 'Delete', danger: true, text: 'What it has settled is forgotten.', fields: [REASON],
      act: async ({ reason }) => {
        await post('/api/group/delete', { topic, group: name, reason });
        toast(`Group ${name} is deleted.`);
        location.hash = to.topic(topic);
      },
    });
  }
}
