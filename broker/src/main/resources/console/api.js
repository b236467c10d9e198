// What is asked of the broker, and whether it answers.

const TIMEOUT_MS = 10_000;
const AGAIN_MS = 2_000;

/** An answer that is a refusal: what, why and what to do next. */
export class Refused extends Error {
  constructor(status, body) {
    super(body.what ?? `HTTP ${status}`);
    this.status = status;
    this.code = body.code ?? '';
    this.why = body.why ?? '';
    this.next = body.next_step ?? '';
  }
}

/** There was no answer. */
export class Gone extends Error {}

/** Since when nobody answers; 0 while somebody does. */
export const line = { goneMs: 0, lastMs: 0, listeners: new Set() };

function heard() {
  line.lastMs = Date.now();
  if (line.goneMs) {
    line.goneMs = 0;
    line.listeners.forEach((listener) => listener());
  }
}

function lost() {
  if (!line.goneMs) {
    line.goneMs = Date.now();
    line.listeners.forEach((listener) => listener());
  }
}

async function send(path, options, signal) {
  let response;
  let body;
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    response = await fetch(path, { ...options, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    body = await response.text();
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }
    lost();
    throw new Gone('the broker does not answer');
  }
  heard();
  let read;
  try {
    read = JSON.parse(body);
  } catch {
    read = { what: body.trim().slice(0, 300) };
  }
  if (!response.ok) {
    throw new Refused(response.status, read);
  }
  return read;
}

function url(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters ?? {})) {
    if (value !== undefined && value !== null && value !== '') {
      query.set(name, value);
    }
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

export function get(path, parameters, signal) {
  return send(url(path, parameters), {}, signal);
}

/** Changes something. The header is what no page from elsewhere can send. */
export function post(path, parameters) {
  return send(url(path, parameters), { method: 'POST', headers: { 'X-Spillway-Request': 'console' } });
}

/**
 * Asks again and again until the signal ends it: `path` may be a function that tells what to ask now. Goes on by itself
 * after a failure, and asks nothing while the page is hidden.
 */
export function poll(path, parameters, everyMs, signal, onData, onRefused = () => {}) {
  let timer = 0;
  let isAsking = false;
  const again = (ms) => {
    clearTimeout(timer);
    if (!signal.aborted) {
      timer = setTimeout(ask, ms);
    }
  };
  async function ask() {
    if (isAsking || signal.aborted) {
      return;
    }
    if (document.hidden) {
      again(everyMs);
      return;
    }
    isAsking = true;
    let waitMs = everyMs;
    try {
      const data = await get(path, typeof parameters === 'function' ? parameters() : parameters, signal);
      if (!signal.aborted) {
        onData(data);
      }
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      if (error instanceof Refused) {
        onRefused(error);
      } else if (!(error instanceof Gone)) {
        console.error(error);
      }
      waitMs = AGAIN_MS;
    } finally {
      isAsking = false;
    }
    again(waitMs);
  }
  const onSeen = () => {
    if (!document.hidden) {
      again(0);
    }
  };
  document.addEventListener('visibilitychange', onSeen);
  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', onSeen);
  });
  ask();
  return { now: () => again(0) };
}
