// The reference page at `/docs`, in a real browser, against the program itself.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { live, sandbox } from './hub.mjs';
import { browser, Reference, shown } from './page.mjs';

/** What an example may be answered with: its identifiers are made up, nothing else is wrong. */
const NOTHING_THERE = ['R0102', 'E0101', 'L0101', 'L0102', 'L0120', 'CBIL0003', 'PAYC0004', 'TSAV0004'];

/** How each API says that a call is done. */
const DONE = ['T0000', 'A0000', 'success', '0000', 'SPCD0000', 'SPAY0000', 'CPAY0000'];

/** What a schema's missing example is filled in with. */
const FILLERS = ['string', 0, true];

let chromium;
before(async () => { chromium = await browser(); });
after(() => chromium.close());

/** Every operation of a document. */
function operations(document) {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, ...operation })));
}

describe('in the sandbox', () => {
  let hub;
  let document;
  let reference;

  before(async () => {
    hub = await sandbox();
    document = await (await fetch(`${hub.base}/openapi.json`)).json();
  });
  after(() => hub?.stop());
  beforeEach(async () => { reference = await Reference.open(chromium, hub.base); });
  afterEach(() => reference.close());

  test('/docs leads to the page, which may talk to its own origin only', async () => {
    const redirect = await fetch(`${hub.base}/docs`, { redirect: 'manual' });
    assert.ok(redirect.status >= 300 && redirect.status < 400, `status ${redirect.status}`);
    assert.equal(redirect.headers.get('location'), '/docs/');
    assert.equal(reference.page.url(), `${hub.base}/docs/`);
    assert.equal(reference.answer.status(), 200);
    const policy = reference.answer.headers()['content-security-policy'] ?? '';
    const directives = policy.split(';').map((directive) => directive.trim());
    assert.ok(directives.includes("connect-src 'self'"), policy);
    assert.ok(directives.includes("default-src 'self'"), policy);
    assert.ok(!/script-src[^;]*unsafe/.test(policy), policy);
    await reference.picture('page');
  });

  test('the browser holds the page to its policy', async () => {
    const refused = await reference.page.evaluate(() =>
      fetch('http://127.0.0.1:9/').then(() => false, () => true));
    assert.ok(refused);
    assert.match(reference.complaints.join('\n'), /Content Security Policy/);
    // This once they are what was asked for.
    reference.complaints.length = 0;
    reference.requests = reference.requests.filter((url) => url !== 'http://127.0.0.1:9/');
  });

  test('every operation stands under its tag', async () => {
    const sections = await reference.page.locator('.opblock-tag-section').evaluateAll((all) =>
      all.map((section) => [
        section.querySelector('.opblock-tag').dataset.tag,
        [...section.querySelectorAll('.opblock')].map((block) => [
          block.querySelector('.opblock-summary-method').textContent,
          block.querySelector('.opblock-summary-path').dataset.path,
        ].join(' ')).sort(),
      ]));
    const expected = document.tags.map(({ name }) => [
      name,
      operations(document).filter(({ tags }) => tags.includes(name))
        .map(({ method, path }) => `${method.toUpperCase()} ${path}`).sort(),
    ]);
    assert.deepEqual(sections, expected);
    assert.equal(expected.flatMap(([, listed]) => listed).length, operations(document).length);
    for (const { summary, path } of operations(document)) assert.ok(summary, `${path}: no summary`);
  });

  test('a token is issued, and with it the limit is told', async () => {
    const said = await reference.execute('token', 'token');
    assert.equal(said.result, 'T0000');
    assert.ok(said.access_token);
    const block = await reference.operation('token', 'token');
    assert.deepEqual(await shown(block, 'T0000'), said);
    await reference.picture('token');

    await reference.authorise(said.access_token);
    const limit = await reference.execute('look-ups', 'remain');
    assert.equal(limit.result, 'A0000');
    assert.equal(limit.message, '처리 성공');
    assert.equal(limit.cst_id, 'test');
  });

  test('without a token the page shows the refusal', async () => {
    assert.equal((await reference.execute('look-ups', 'remain')).result, 'T0330');
  });

  test('every request body is filled in and has the right form', async () => {
    const wrong = [];
    for (const { path, requestBody, operationId, tags: [tag] } of operations(document)) {
      // Lines of JSON under header fields are for a program, not for this form.
      if (!requestBody?.content['application/json']) continue;
      const example = await reference.example(tag, operationId);
      for (const [name, value] of Object.entries(example)) {
        if (FILLERS.includes(value)) wrong.push(`${path}: ${name} is ${JSON.stringify(value)}`);
      }
      await reference.keepAuthorised();
      const ids = {};
      if ('PCD_AUTH_KEY' in example) ids.PCD_AUTH_KEY = await reference.authKey();
      // The examples share an order number, which is charged once.
      if ('PCD_PAY_GOODS' in example) ids.PCD_PAY_OID = `order-${operationId}`;
      const said = await reference.execute(tag, operationId, ids);
      const code = said.PCD_PAY_CODE ?? said.result;
      const good = [...DONE, ...NOTHING_THERE].includes(code);
      if (!good) wrong.push(`${path}: ${JSON.stringify(said)}`);
      await reference.picture(operationId, await reference.operation(tag, operationId));
    }
    assert.deepEqual(wrong, []);
  });

  test('a payout goes from the account check to its result, with nothing but ids replaced', async () => {
    const done = async (tag, id, ids) => {
      await reference.keepAuthorised();
      const said = await reference.execute(tag, id, ids);
      assert.equal(said.result, 'A0000', `${id}: ${said.result} ${said.message}`);
      return said;
    };
    const { billing_tran_id } = await done('payouts', 'real_name');
    const { group_key } = await done('payouts', 'request', { billing_tran_id });
    assert.equal((await done('look-ups', 'waiting', { group_key })).res_cnt, '1');
    await done('payouts', 'execute', { group_key });
    let row;
    for (let tries = 0; tries < 50 && !row; tries += 1) {
      [row] = (await done('look-ups', 'by_group', { group_key })).res_list;
    }
    assert.ok(row, 'the payout was not settled');
    const { api_tran_id, bank_tran_date } = row;
    const result = await done('look-ups', 'result', { api_tran_id });
    assert.equal(result.account_holder_name, '홍길동');
    const day = await done('look-ups', 'by_date', { bank_tran_date });
    assert.deepEqual(day.res_list.map((each) => each.api_tran_id), [api_tran_id]);
    await reference.picture('payout');
  });

  test('the keyboard alone opens an operation and executes it', async () => {
    const { page } = reference;
    const reach = async (what, target) => {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press('Tab');
        if (await target.evaluate((element) => element === element.ownerDocument.activeElement)) return;
      }
      assert.fail(`60 presses of Tab do not reach ${what}`);
    };
    const block = page.locator('[id="operations-token-token"]');
    await reach('the operation', block.locator('.opblock-summary-control'));
    await page.keyboard.press('Enter');
    await block.locator('.opblock-body').waitFor();
    const execute = block.getByRole('button', { name: 'Execute', exact: true });
    await reach('Execute', execute);
    const outline = await execute.evaluate((element) => getComputedStyle(element).outlineStyle);
    assert.notEqual(outline, 'none', 'the focus is not to be seen');
    await page.keyboard.press('Enter');
    assert.ok((await shown(block, 'T0000')).access_token);
  });

  test('headings and buttons tell a screen reader what there is', async () => {
    const { page } = reference;
    const top = page.getByRole('heading', { level: 1 });
    assert.equal(await top.count(), 1);
    assert.match(await top.innerText(), new RegExp(`^${document.info.title}`));
    for (const { name, description } of document.tags) {
      await page.getByRole('heading', { name: `${name} ${description}` }).waitFor();
    }
    for (const { method, path, summary } of operations(document)) {
      const name = `${method.toUpperCase()} ${path} ${summary}`;
      const button = page.getByRole('button', { name, exact: true });
      assert.equal(await button.count(), 1, `no button "${name}"`);
    }
    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  });

  test('a narrow screen needs no scrolling sideways', async () => {
    const { page } = reference;
    await page.setViewportSize({ width: 390, height: 800 });
    await reference.operation('payouts', 'request');
    const wide = await page.evaluate(() =>
      document.documentElement.scrollWidth - document.documentElement.clientWidth);
    await reference.picture('narrow');
    assert.equal(wide, 0, `${wide} pixels too wide`);
  });
});

describe('in LIVE', () => {
  let hub;
  before(async () => { hub = await live(); });
  after(() => hub?.stop());

  test('the page can be read, and makes no calls', async () => {
    const reference = await Reference.open(chromium, hub.base);
    const { page } = reference;
    const document = await (await fetch(`${hub.base}/openapi.json`)).json();
    for (const { operationId, tags: [tag] } of operations(document)) {
      await reference.operation(tag, operationId);
    }
    assert.equal(await page.locator('.opblock.is-open').count(), operations(document).length);
    for (const name of [/^try it out/i, /^execute$/i]) {
      const buttons = page.locator('.opblock-body').getByRole('button', { name });
      assert.equal(await buttons.count(), 0, `a button ${name}`);
    }
    const fields = '.opblock-body textarea:not([disabled]), .opblock-body input:not([disabled])';
    assert.equal(await page.locator(fields).count(), 0);
    await reference.picture('live');
    await reference.close();
  });
});
