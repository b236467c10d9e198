// Figures, times and bytes as people read them.

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export function count(value) {
  return number.format(value ?? 0);
}

/** 1.2M for what has no room. */
export function brief(value) {
  return Math.abs(value) < 10_000 ? number.format(value) : short.format(value);
}

export function rate(value) {
  if (value === 0) {
    return '0';
  }
  return value < 10 ? String(Math.round(value * 10) / 10) : brief(value);
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function bytes(value) {
  let scaled = value ?? 0;
  let unit = 0;
  while (scaled >= 1024 && unit < UNITS.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${unit === 0 || scaled >= 100 ? Math.round(scaled) : Math.round(scaled * 10) / 10} ${UNITS[unit]}`;
}

function two(value) {
  return String(value).padStart(2, '0');
}

export function clock(ms) {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Local time; the day only when it is not today. */
export function time(ms, millis = false) {
  if (!ms || ms < 0) {
    return '';
  }
  const at = new Date(ms);
  const isToday = at.toDateString() === new Date().toDateString();
  const day = isToday ? '' : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} `;
  return day + clock(ms) + (millis ? `.${String(at.getMilliseconds()).padStart(3, '0')}` : '');
}

export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) {
    return `${seconds} s`;
  }
  if (seconds < 3600) {
    return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  }
  if (seconds < 48 * 3600) {
    return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
  }
  return `${Math.floor(seconds / 86400)} days`;
}

export function plural(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

// ---- bytes that may be text

export function decode(base64) {
  const raw = atob(base64);
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) {
    out[i] = raw.charCodeAt(i);
  }
  return out;
}

/** Null when it is not text. */
export function asText(data, isCut = false) {
  try {
    // What was cut may end within a character.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(data, { stream: isCut });
    // eslint-disable-next-line no-control-regex
    return /[\u0000-\u0008\u000e-\u001f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

export function asHex(data, columns = 16) {
  const lines = [];
  for (let at = 0; at < data.length; at += columns) {
    const part = [...data.subarray(at, at + columns)];
    const hex = part.map((b) => b.toString(16).padStart(2, '0')).join(' ');
    const shown = part.map((b) => b >= 32 && b < 127 ? String.fromCharCode(b) : '.').join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(columns * 3)} ${shown}`);
  }
  return lines.join('\n');
}

export function asJson(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

/** One line of what there is. */
export function preview(base64, isCut = false) {
  if (base64 === null) {
    return null;
  }
  const data = decode(base64);
  const text = asText(data, isCut);
  return text === null
    ? [...data.subarray(0, 24)].map((b) => b.toString(16).padStart(2, '0')).join(' ')
    : text.slice(0, 300);
}
