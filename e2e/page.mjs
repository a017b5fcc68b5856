// The reference page in a real browser: what a reader does there, and what the page must never do.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const QUIET = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
  '--disable-background-networking', '--disable-component-update'];

/** A token lives 60 seconds; on a busy machine a test takes longer. */
const TOKEN_MS = 25_000;

/** A browser with a profile of its own; without the sandbox where it runs as root. */
export function browser() {
  const found = process.env.CHROMIUM || BROWSERS.find((path) => existsSync(path));
  assert.ok(found, 'no browser: install chromium, or set CHROMIUM');
  const args = process.getuid() === 0 ? [...QUIET, '--no-sandbox'] : QUIET;
  return chromium.launch({ executablePath: found, args });
}

/** The page at `/docs`, with a record of what it asks for and complains about. */
export class Reference {
  constructor(base, page) {
    this.base = base;
    this.page = page;
    this.requests = [];
    this.complaints = [];
    this.authorisedAt = -Infinity;
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('requestfailed', (request) => this.complaints.push(`not loaded: ${request.url()}`));
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(message.text());
    });
  }

  static async open(browser, base) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const reference = new Reference(base, await context.newPage());
    reference.answer = await reference.page.goto(`${base}/docs`);
    await reference.page.locator('.opblock').first().waitFor();
    return reference;
  }

  /** Nothing may have left the origin, nothing may have gone wrong. */
  async close() {
    const strangers = this.requests.filter((url) => !url.startsWith(`${this.base}/`));
    await this.page.context().close();
    assert.deepEqual(strangers, [], 'requests to another origin');
    assert.deepEqual(this.complaints, [], 'errors in the console');
  }

  /** An operation's block, opened. */
  async operation(tag, id) {
    const block = this.page.locator(`[id="operations-${tag}-${id}"]`);
    if (!(await block.getAttribute('class')).includes('is-open')) {
      await block.locator('.opblock-summary-control').click();
      await block.locator('.opblock-body').waitFor();
    }
    return block;
  }

  /** The request body that the page fills in. */
  async example(tag, id) {
    const block = await this.operation(tag, id);
    return JSON.parse(await block.locator('.body-param__text').inputValue());
  }

  /** Presses Execute, with `ids` in place of the example's own; gives the answer that is shown. */
  async execute(tag, id, ids = {}) {
    const block = await this.operation(tag, id);
    const text = block.locator('.body-param__text');
    const example = JSON.parse(await text.inputValue());
    for (const name of Object.keys(ids)) assert.ok(name in example, `${id} has no ${name}`);
    if (Object.keys(ids).length > 0) {
      await text.fill(JSON.stringify({ ...example, ...ids }, null, 2));
    }
    const path = await block.locator('.opblock-summary-path').getAttribute('data-path');
    const [response] = await Promise.all([
      this.page.waitForResponse((response) => response.url().split('?')[0] === `${this.base}${path}`),
      block.getByRole('button', { name: 'Execute', exact: true }).click(),
    ]);
    const said = await response.json();
    // cpay tells its code in a field of its own.
    await shown(block, said.PCD_PAY_CODE ?? said.result);
    return said;
  }

  /** What auth.php gives for the calls that follow: one key serves them all. */
  async authKey() {
    this.issued ??= (await this.execute('billing', 'auth')).AuthKey;
    return this.issued;
  }

  /** Authorises with a token of its own, anew where the last one is about to end. */
  async keepAuthorised() {
    if (Date.now() - this.authorisedAt < TOKEN_MS) return;
    const said = await this.execute('token', 'token');
    await this.authorise(said.access_token);
  }

  /** What a reader does with a token: the dialog, the field, the button. */
  async authorise(token) {
    const { page } = this;
    this.authorisedAt = Date.now();
    await page.getByRole('button', { name: 'Authorize', exact: true }).click();
    const dialog = page.locator('.dialog-ux .modal-ux');
    const logout = dialog.getByRole('button', { name: 'Remove authorization' });
    if (await logout.isVisible()) await logout.click();
    await dialog.getByRole('textbox').fill(token);
    await dialog.getByRole('button', { name: 'Apply credentials' }).click();
    await dialog.getByRole('button', { name: 'Close' }).click();
  }

  /** Keeps a picture where `SCREENSHOTS` names a folder: for people, nothing compares them. */
  async picture(name, target = this.page) {
    const folder = process.env.SCREENSHOTS;
    if (folder) await target.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  }
}

/** The answer's body as the page shows it, once it has this `result`. */
export async function shown(block, result) {
  const body = block.locator('.live-responses-table .response-col_description .highlight-code code');
  const said = body.filter({ hasText: `"${result}"` }).first();
  await said.waitFor();
  return JSON.parse(await said.innerText());
}
