// How the broker and its cluster are: what is wrong first, then what it moves.

import { h, put } from '../dom.js';
import { chart } from '../chart.js';
import { brief, bytes, count, plural, rate, span, time } from '../format.js';
import { badge, diagnoses, heading, link, panel, pressure, to } from '../parts.js';
import { table } from '../table.js';

const STEP = ['good', 'note', 'warn', 'warn', 'bad', 'bad', 'bad'];

export function overview(root, context) {
  const state = h('section', { class: 'panel', 'aria-label': 'State' }, h('p', { class: 'empty' }, 'Asking the broker.'));
  const tiles = h('div', { class: 'tiles' });
  const charts = [
    chart('Records a second', [{ name: 'published', label: 'published' }, { name: 'delivered', label: 'delivered' },
      { name: 'settled', label: 'acked' }], rate),
    chart('Bytes a second', [{ name: 'published_bytes', label: 'in' }, { name: 'delivered_bytes', label: 'out' }], bytes),
    chart('Backlog', [{ name: 'backlog', label: 'not acked' }, { name: 'in_flight', label: 'in flight' }], brief),
    chart('Failures a second', [{ name: 'redelivered', label: 'redelivered' }, { name: 'dead_letters', label: 'dead letters' }], rate),
  ];
  const wrong = h('div', {});
  const nodes = clusterTable();
  const domains = domainTable();
  const busiest = busiestTable();
  const cluster = panel('Cluster and zones', nodes.element);
  root.append(heading('Overview'), state, wrong, tiles, h('div', { class: 'charts' }, charts.map((each) => each.element)),
    h('div', { class: 'columns' }, cluster, panel('Pressure by failure domain', domains.element)),
    panel('Largest backlogs', busiest.element));

  let last = null;
  let health = null;
  let past = null;
  context.poll('/api/history', {}, 5_000, (history) => {
    past = history;
    charts.forEach((each) => each.update(history));
    showTiles();
  }, () => {});

  function showTiles() {
    const now = (name) => past?.[name].at(-1) ?? 0;
    put(tiles, tile(rate(now('published')), 'published / s', `${bytes(now('published_bytes'))}/s`),
      tile(rate(now('delivered')), 'delivered / s', `${bytes(now('delivered_bytes'))}/s`),
      tile(rate(now('settled')), 'acked / s'), tile(brief(now('backlog')), 'backlog', 'of all groups'),
      tile(brief(now('in_flight')), 'in flight'),
      last && tile(count(last.topics), 'topics', plural(last.groups, 'group')),
      last && tile(count(last.connections), 'connections', plural(last.members, 'member')));
  }
  context.poll('/api/overview', {}, 2_000, (now) => {
    last = now;
    domains.update(now.pressure.domains);
    showTiles();
    show();
  }, () => {});
  context.poll('/health', {}, 2_000, (now) => {
    health = now;
    show();
  }, () => {});
  context.poll('/api/topics', { sort: 'backlog', limit: 6 }, 3_000, (now) =>
    busiest.update(now.topics.filter((topic) => topic.backlog > 0)), () => {});
  let isWell = false;
  context.poll('/diagnose', {}, 5_000, (now) => {
    isWell = now.ok;
    put(wrong, ...diagnoses(now.diagnoses));
    show();
  }, () => wrong.replaceChildren());
  pollCluster(context, nodes, cluster);

  function show() {
    if (!last || !health) {
      return;
    }
    const step = health.degradation;
    const worst = last.pressure.worst;
    put(state,
      h('div', { class: 'bar-line' },
        health.live ? badge('good', 'live') : badge('bad', 'should be restarted'),
        health.ready ? badge('good', 'ready') : badge('bad', 'not ready'),
        badge(STEP[step.step] ?? 'bad', `degradation ${step.step}: ${step.what.toLowerCase().replaceAll('_', ' ')}`),
        h('span', {}, h('span', { class: 'dim' }, 'pressure '), pressure(worst.state)),
        last.leads ? null : badge('note', 'follows: another node leads')),
      health.causes.map((cause) => h('div', { class: 'cause' }, h('strong', {}, cause.what),
        h('div', {}, h('span', { class: 'dim' }, 'Why: '), cause.why),
        h('div', {}, h('span', { class: 'dim' }, 'Next: '), cause.next_step))),
      step.why && h('div', { class: 'cause warn' }, h('strong', {}, step.lacks || step.what),
        h('div', {}, h('span', { class: 'dim' }, 'Why: '), step.why, h('span', { class: 'dim' }, `, since ${time(step.since_ms)}`)),
        step.next_step && h('div', {}, h('span', { class: 'dim' }, 'Next: '), step.next_step)),
      worst.state !== 'NORMAL' && h('div', { class: 'cause warn' }, h('strong', {}, `${worst.scope} is ${worst.state.toLowerCase()}`),
        h('div', {}, h('span', { class: 'dim' }, 'Because of: '), worst.reasons.join(', ').toLowerCase().replaceAll('_', ' '))),
      last.paused_groups > 0 && h('div', { class: 'cause note' }, link('#/groups', `${plural(last.paused_groups, 'group')} paused`)),
      last.switched_topics > 0 && h('div', { class: 'cause note' }, link('#/topics', `${plural(last.switched_topics, 'topic')} paused`)),
      isWell && health.causes.length === 0 && !step.why && worst.state === 'NORMAL' && last.paused_groups === 0
        && last.switched_topics === 0 && h('p', { class: 'empty' }, 'Nothing asks for attention.'));
  }
}

function tile(value, label, more) {
  return h('div', { class: 'tile' }, h('b', {}, value), h('span', {}, label), more && h('small', {}, ` · ${more}`));
}

function domainTable() {
  return table([
    { label: 'Domain', cell: (row) => row.domain },
    { label: 'State', cell: (row) => pressure(row.state) },
    { label: 'Because of', wide: true, cell: (row) => row.reasons.join(', ').toLowerCase().replaceAll('_', ' ') || '–' },
    { label: 'Whose', cell: (row) => (row.state === 'NORMAL' ? '–' : row.scope) },
  ], { key: (row) => row.domain, caption: 'Pressure by failure domain', empty: 'No client is connected.' });
}

function busiestTable() {
  return table([
    { label: 'Topic', cell: (row) => link(to.topic(row.name), row.name) },
    { label: 'Backlog', number: true, cell: (row) => count(row.backlog) },
    { label: 'In flight', number: true, minor: true, cell: (row) => count(row.in_flight) },
    { label: 'Published / s', number: true, cell: (row) => rate(row.published) },
    { label: 'Acked / s', number: true, cell: (row) => rate(row.acked) },
  ], { key: (row) => row.name, caption: 'Largest backlogs', empty: 'No group has a backlog.' });
}

function clusterTable() {
  const lag = (row) => (row.lag_ms === null ? '–' : row.lag_ms === 0 ? 'none' : span(row.lag_ms));
  return table([
    { label: 'Node', cell: (row) => [row.node, row.leader ? badge('good', 'leads') : null].filter(Boolean) },
    { label: 'Zone', cell: (row) => row.zone || '–' },
    { label: 'Role', cell: (row) => row.role.toLowerCase() },
    { label: 'Heard', cell: (row) => heard(row) },
    { label: 'Lag', number: true, cell: lag },
    { label: 'Clients at', minor: true, cell: (row) => row.client_address },
  ], { key: (row) => row.node, caption: 'Nodes by zone', empty: 'No node is known.' });
}

function heard(row) {
  if (row.last_contact_ms === null) {
    return badge('idle', 'not known');
  }
  return row.last_contact_ms < 3_000 ? badge('good', 'now') : badge('bad', `${span(row.last_contact_ms)} ago`);
}

function pollCluster(context, nodes, cluster) {
  context.poll('/cluster', {}, 3_000, (now) => {
    nodes.update([...now.nodes].sort((a, b) => a.zone.localeCompare(b.zone) || a.node.localeCompare(b.node)));
  }, () => put(cluster, h('h2', {}, 'Cluster and zones'), h('p', { class: 'empty' }, 'This broker stands alone: it is in no cluster.')));
}

