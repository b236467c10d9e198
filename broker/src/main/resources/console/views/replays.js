// Plans and jobs: what would be delivered again, what is, and how far.

import { h } from '../dom.js';
import { post } from '../api.js';
import { bytes, count, plural, rate, span, time } from '../format.js';
import { badge, bar, button, heading, link, panel, to, toast } from '../parts.js';
import { ask, change, REASON, show } from '../dialog.js';
import { table } from '../table.js';

const JOB = { running: 'note', paused: 'warn', done: 'good', cancelled: 'idle', failed: 'bad' };
const PLAN = { scanning: 'note', ready: 'good', failed: 'bad' };

export function replays(root, context) {
  const jobs = table([
    { label: 'Job', cell: (row) => button(row.job, () => details(row), 'quiet small') },
    { label: 'State', cell: (row) => badge(JOB[row.state] ?? 'note', row.state, row.why) },
    { label: 'Topic', cell: (row) => link(to.topic(row.topic), row.topic) },
    { label: 'To', cell: (row) => row.target },
    { label: 'Progress', cell: (row) => [bar(row.records ? row.done / row.records : 1, `${count(row.done)} of ${count(row.records)}`),
      h('span', {}, `${count(row.done)} / ${count(row.records)}`)] },
    { label: 'Now / s', number: true, minor: true, cell: (row) => rate(row.rate_now) },
    { label: 'Acked', number: true, minor: true, cell: (row) => count(row.acked) },
    { label: 'Failed', number: true, minor: true, cell: (row) => count(row.failed) },
    { label: 'Why', wide: true, cell: (row) => row.why || row.reason || '–' },
    { label: '', cell: actions },
  ], { key: (row) => row.job, caption: 'Jobs', empty: 'No job was started yet.' });
  const plans = table([
    { label: 'Plan', cell: (row) => row.plan },
    { label: 'State', cell: (row) => badge(PLAN[row.state] ?? 'note', row.state, row.failure) },
    { label: 'Topic', cell: (row) => link(to.topic(row.topic), row.topic) },
    { label: 'Records', number: true, cell: (row) => (row.state === 'scanning' ? `${count(row.scanned)} of ${count(row.to_scan)} seen` : count(row.records)) },
    { label: 'Bytes', number: true, minor: true, cell: (row) => bytes(row.bytes) },
    { label: 'From', minor: true, cell: (row) => time(row.first_ms) || '–' },
    { label: 'To', minor: true, cell: (row) => time(row.last_ms) || '–' },
    { label: 'Keys', number: true, minor: true, cell: (row) => `${row.keys_exact ? '' : '≈ '}${count(row.keys)}` },
    { label: 'Made', cell: (row) => time(row.created_ms) },
    { label: '', cell: (row) => [row.state === 'ready' ? button('Start', () => start(row), 'small') : null, ' ',
      button('Delete', () => change({ title: `Delete plan ${row.plan}`, action: 'Delete', danger: true, path: '/api/replay/delete',
        parameters: { id: row.plan }, done: `Plan ${row.plan} is deleted.` }).then(() => asking.now()), 'small')].filter(Boolean) },
  ], { key: (row) => row.plan, caption: 'Plans', empty: 'No plan was made yet.' });
  root.append(heading('Replays', button('New plan', plan, 'primary')), panel('Jobs', jobs.element), panel('Plans', plans.element));
  const asking = context.poll('/api/replays', {}, 1_500, (now) => {
    jobs.update(now.jobs);
    plans.update(now.plans);
  });

  function actions(row) {
    const act = (verb, words, danger) => button(words, () => change({
      title: `${words} job ${row.job}`, action: words, danger, path: `/api/replay/${verb}`, parameters: { id: row.job },
      text: verb === 'cancel' ? 'What was delivered or stored stays so.' : undefined, done: `Job ${row.job}: ${words.toLowerCase()}.`,
    }).then(() => asking.now()), 'small');
    return { running: [act('pause', 'Pause'), ' ', act('cancel', 'Cancel', true)], paused: [act('resume', 'Resume'), ' ', act('cancel', 'Cancel', true)] }[row.state] ?? '';
  }

  function details(row) {
    const pairs = [['state', row.why ? `${row.state}: ${row.why}` : row.state], ['plan', row.plan], ['topic', row.topic], ['to', row.target],
      ['reason', row.reason], ['started', `${time(row.started_ms)} by ${row.started_by}`],
      row.ended_ms > 0 && ['ended', `${time(row.ended_ms)}, after ${span(row.ended_ms - row.started_ms)}`],
      ['records', `${count(row.done)} of ${count(row.records)}`], ['redelivered', count(row.redelivered)], ['acked', count(row.acked)],
      ['failed', count(row.failed)], ['open', count(row.open)], ['duplicates', count(row.duplicates)], ['errors', count(row.errors)],
      ['rate', row.rate ? `${count(row.rate)} / s at most` : 'no bound']].filter(Boolean);
    show(`Job ${row.job}`, h('dl', { class: 'facts' }, pairs.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value || '–')])));
  }

  async function plan() {
    const made = await ask({
      title: 'New plan', action: 'Plan', text: 'Finds and counts the records; nothing is changed.',
      fields: [
        { name: 'topic', label: 'Topic', required: true },
        { name: 'from', label: 'From', value: 'earliest', hint: 'earliest, offset:PARTITION:OFFSET, or time:MILLISECONDS' },
        { name: 'to', label: 'To, without it', value: 'latest' },
        { name: 'partitions', label: 'Partitions', hint: 'With commas between; empty: all.' },
        { name: 'key', label: 'Key', hint: 'Only records with this key; empty: all.' },
        { name: 'filter', label: 'Filter', placeholder: "type = 'order' && size > 3", hint: 'On headers; empty: all.' },
        { name: 'unacked_by', label: 'Not settled by group', hint: 'Empty: all.' },
        REASON,
      ],
      act: (values) => post('/api/replay/plan', values),
    });
    if (made) {
      toast(`Plan ${made.plans[0].plan} is being made.`);
      asking.now();
    }
  }

  async function start(row) {
    await ask({
      title: `Start ${row.plan}`, action: 'Start', danger: true, text: `${plural(row.records, 'record')} of ${row.topic}, ${bytes(row.bytes)}.`,
      fields: [
        { name: 'target', label: 'To', type: 'select', value: 'group', options: [['group', 'a group, beside its live records'],
          ['new-group', 'a new group'], ['topic', 'another topic, which must accept replays'], ['origin', 'where dead letters come from']] },
        { name: 'name', label: 'Name of the group or topic' },
        { name: 'rate', label: 'Records a second, at most', type: 'number', min: 0, value: 0, hint: '0: no bound.' },
        { name: 'max_errors', label: 'Pause after more errors than', type: 'number', min: 0, value: 0, hint: '0: no bound.' },
        { name: 'max_dead_letters', label: 'Pause after more dead letters than', type: 'number', min: 0, value: 0, hint: '0: no bound.' },
        { name: 'max_lag', label: 'Pause while the live group lags by more than', type: 'number', min: 0, value: 0, hint: '0: no bound.' },
        REASON,
      ],
      act: async (values) => {
        const answer = await post('/api/replay/start', { id: row.plan, ...values });
        toast(`Job ${answer.jobs[0].job} has begun.`);
        asking.now();
      },
    });
  }
}
