// What the tests of the console stand on: brokers of their own, commands, and a browser.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';

const home = dirname(dirname(fileURLToPath(import.meta.url)));
const spillway = process.env.SPILLWAY ?? join(home, 'bin', 'spillway');
const chromium = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const pictures = join(home, 'build', 'console-tests');

/** Runs a broker until `stop`; `wire` and `http` are where it listens, or shall again. */
export class Broker {
  constructor(...options) {
    this.options = options;
    this.wire = '127.0.0.1:0';
    this.http = '127.0.0.1:0';
  }

  async start() {
    this.process = spawn(spillway, ['serve', ...this.options, '--listen', this.wire, '--http', this.http]);
    let said = '';
    this.process.stderr.on('data', (more) => {
      said += more;
    });
    [, this.wire, this.http] = await new Promise((resolve, reject) => {
      let out = '';
      this.process.stdout.on('data', (more) => {
        out += more;
        const match = /wire=(\S+) http=(\S+)/.exec(out);
        if (match) {
          resolve(match);
        }
      });
      this.process.on('exit', () => reject(new Error(`the broker did not start: ${said}`)));
    });
  }

  async stop() {
    if (this.process && this.process.exitCode === null) {
      const ended = new Promise((resolve) => this.process.once('exit', resolve));
      this.process.kill('SIGTERM');
      await ended;
    }
  }
}

/** One command to its end, which has to be a good one. */
export async function run(input, ...args) {
  const command = spawn(spillway, args);
  let said = '';
  command.stderr.on('data', (more) => {
    said += more;
  });
  command.stdin.end(input);
  const code = await new Promise((resolve) => command.on('exit', resolve));
  assert.equal(code, 0, `${args.join(' ')}: ${said}`);
}

export function launch(...args) {
  assert.ok(chromium, 'there is no Chromium: apt-get install chromium, or set CHROMIUM');
  mkdirSync(pictures, { recursive: true });
  return puppeteer.launch({ executablePath: chromium, headless: true, args: ['--no-sandbox', '--disable-gpu', ...args] });
}

/** A picture of the page, in build/console-tests. */
export function picture(page, name) {
  return page.screenshot({ path: join(pictures, `${name}.png`) });
}
