// Lines over the last hour, drawn as SVG. A line is told from another by its dashes, too.

import { h, s, put } from './dom.js';
import { clock } from './format.js';

const WIDTH = 640;
const HEIGHT = 150;
const LEFT = 4;
const TOP = 16;
const BOTTOM = 18;
const STEPS = [1, 2, 5, 10];

function ceiling(value) {
  if (value <= 0) {
    return 1;
  }
  const power = 10 ** Math.floor(Math.log10(value));
  return STEPS.find((step) => step * power >= value) * power;
}

/**
 * @param lines [{name, label}]: the arrays of the data with these names
 * @param format of a value
 */
export function chart(title, lines, format) {
  const drawing = s('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  const top = h('span', { class: 'axis top-axis' });
  const begin = h('span', { class: 'axis' });
  const end = h('span', { class: 'axis' });
  const cursor = h('span', { class: 'cursor', hidden: true });
  const values = lines.map((line, i) => h('span', { class: `legend line-${i}` },
    s('svg', { viewBox: '0 0 22 8', width: 22, height: 8, 'aria-hidden': 'true' },
      s('line', { x1: 1, y1: 4, x2: 21, y2: 4, class: `stroke line-${i}` })),
    line.label, ' ', h('b', {})));
  const plot = h('div', { class: 'plot' }, drawing, top, cursor);
  const element = h('figure', { class: 'chart', tabindex: 0, role: 'img' },
    h('figcaption', {}, h('h3', {}, title), h('span', { class: 'legends' }, values)), plot,
    h('div', { class: 'axes' }, begin, end));
  let data = null;
  let at = -1;

  function points() {
    return data?.[lines[0].name]?.length ?? 0;
  }

  function x(i) {
    return LEFT + (WIDTH - 2 * LEFT) * (data.points - points() + i) / Math.max(1, data.points - 1);
  }

  function draw() {
    const highest = ceiling(Math.max(...lines.map((line) => Math.max(0, ...data[line.name]))));
    const y = (value) => HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / highest;
    const shapes = [
      s('line', { class: 'grid', x1: 0, x2: WIDTH, y1: y(highest), y2: y(highest) }),
      s('line', { class: 'grid', x1: 0, x2: WIDTH, y1: y(highest / 2), y2: y(highest / 2) }),
      s('line', { class: 'grid base', x1: 0, x2: WIDTH, y1: y(0), y2: y(0) }),
    ];
    lines.forEach((line, n) => {
      const path = data[line.name].map((value, i) => `${i ? 'L' : 'M'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join('');
      if (path && n === 0) {
        shapes.push(s('path', { class: 'area', d: `${path}L${x(points() - 1).toFixed(1)} ${y(0)}L${x(0).toFixed(1)} ${y(0)}Z` }));
      }
      shapes.push(s('path', { class: `stroke line-${n}`, d: path, 'vector-effect': 'non-scaling-stroke' }));
    });
    put(drawing, ...shapes);
    put(top, format(highest));
  }

  function show() {
    const i = at < 0 ? points() - 1 : at;
    lines.forEach((line, n) => put(values[n].querySelector('b'), points() === 0 ? '–' : format(data[line.name][i])));
    cursor.hidden = at < 0 || points() === 0;
    if (at >= 0 && points() > 0) {
      cursor.style.left = `${100 * x(i) / WIDTH}%`;
    }
    const first = data.end_ms - (data.points - 1) * data.interval_ms;
    put(begin, data.end_ms ? clock(first) : '');
    put(end, data.end_ms ? (at < 0 ? clock(data.end_ms) : `at ${clock(data.end_ms - (points() - 1 - i) * data.interval_ms)}`) : '');
    element.setAttribute('aria-label', `${title}, the last hour: ` + lines.map((line) => points() === 0 ? `${line.label} not known yet`
      : `${line.label} now ${format(data[line.name][points() - 1])}, at most ${format(Math.max(...data[line.name]))}`).join('; '));
  }

  function look(i) {
    at = Math.max(-1, Math.min(points() - 1, i));
    show();
  }

  plot.addEventListener('pointermove', (event) => {
    if (data && points() > 0) {
      const box = plot.getBoundingClientRect();
      const place = (event.clientX - box.left) / box.width * (data.points - 1);
      look(Math.max(0, Math.round(place) - (data.points - points())));
    }
  });
  plot.addEventListener('pointerleave', () => data && look(-1));
  element.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && data && points() > 0) {
      event.preventDefault();
      look((at < 0 ? points() - 1 : at) + step * (event.shiftKey ? 12 : 1));
    } else if (event.key === 'Escape' && data) {
      look(-1);
    }
  });

  return {
    element,
    update(now) {
      data = now;
      draw();
      show();
    },
  };
}

/** A line as high as a word. */
export function spark(values) {
  const highest = Math.max(1e-9, ...values);
  const path = values.map((value, i) => `${i ? 'L' : 'M'}${(80 * (i + 30 - values.length) / 29).toFixed(1)} ${(15 - 13 * value / highest).toFixed(1)}`).join('');
  return s('svg', { class: 'spark', viewBox: '0 0 80 16', width: 80, height: 16, 'aria-hidden': 'true' },
    s('path', { class: 'stroke line-0', d: path || 'M0 15L80 15' }));
}
