/* node --test clients/ */
import assert from "node:assert/strict";
import { test } from "node:test";

import { CHANNEL, announce, connect } from "./connect.js";

/** A browser whose time passes when the test says so. */
function browser({ blocked = false, search = "" } = {}) {
  const channels = new Set();
  const waiting = [];
  let now = 0;
  const popup = { closed: false };
  const self = {
    popup,
    posted: [],
    opened: [],
    channels,
    closed: false,
    channel(name) {
      assert.equal(name, CHANNEL);
      const channel = {
        onmessage: null,
        postMessage(data) {
          for (const other of channels) if (other !== channel) other.onmessage?.({ data });
        },
        close: () => channels.delete(channel),
      };
      channels.add(channel);
      return channel;
    },
    open(url, name) {
      self.opened.push([url, name]);
      return blocked ? null : popup;
    },
    post: (url, fields, target) => self.posted.push([url, fields, target]),
    later: (work, milliseconds) => waiting.push({ at: now + milliseconds, work }),
    now: () => now,
    search: () => search,
    close: () => (self.closed = true),
    /** Lets time pass, step by step. */
    async pass(milliseconds) {
      for (const end = now + milliseconds; now < end; ) {
        now += 100;
        for (const entry of waiting.filter((entry) => entry.at <= now)) {
          waiting.splice(waiting.indexOf(entry), 1);
          entry.work();
        }
        for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
      }
    },
  };
  return self;
}

const waits = async () => ({ state: "waiting" });
const begin = (page, ask = waits, more = {}) => {
  const outcome = {};
  connect({ url: "https://api.example/connect/start?token=t", attempt: "att_1", ask, ...more }, page).then(
    (ended) => Object.assign(outcome, ended),
  );
  return outcome;
};

test("C10: the return page's result arrives without an opener", async () => {
  const page = browser();
  const outcome = begin(page);
  const search = "?connection=con_1&attempt=att_1&result=connected&code=connected";
  const back = { ...browser({ search }), channel: page.channel };
  announce(back);
  await page.pass(100);
  assert.deepEqual(outcome, { result: "connected", code: "connected" });
  assert.equal(page.channels.size, 0, "nothing stays open");
});

test("C10: a result of another attempt is not taken for this one's", async () => {
  const page = browser();
  const outcome = begin(page);
  announce({ ...browser({ search: "?attempt=att_2&result=connected" }), channel: page.channel });
  await page.pass(1000);
  assert.deepEqual(outcome, {});
});

test("C10: without a return page of ours the attempt tells", async () => {
  const page = browser();
  const outcome = begin(page, async () => ({ state: "finished", result: "denied", code: "access_denied" }));
  await page.pass(2500);
  assert.deepEqual(outcome, { result: "denied", code: "access_denied" });
});

test("C10: a closed popup is cancelled within five seconds, and not before the attempt was asked", async () => {
  const page = browser();
  let asked = 0;
  const outcome = begin(page, async () => ((asked += 1), { state: "waiting" }));
  await page.pass(1000);
  page.popup.closed = true;
  const before = asked;
  await page.pass(2000);
  assert.deepEqual(outcome, {}, "a callback may be under way");
  await page.pass(2900);
  assert.deepEqual(outcome, { result: "cancelled", code: "popup_closed" });
  assert.ok(asked > before);
});

test("C10: a popup that closes after success is never cancelled", async () => {
  for (const after of [0, 500, 1500, 2400]) {
    const page = browser();
    let finished = false;
    const outcome = begin(page, async () =>
      finished ? { state: "finished", result: "connected", code: "connected" } : { state: "waiting" },
    );
    page.popup.closed = true;
    await page.pass(after);
    finished = true;
    await page.pass(5000);
    assert.deepEqual(outcome, { result: "connected", code: "connected" }, `${after} ms`);
  }
});

test("C10: an API that does not answer neither hangs nor fails the wait", async () => {
  for (const ask of [() => Promise.reject(new Error("offline")), () => new Promise(() => {})]) {
    const page = browser();
    const outcome = begin(page, ask);
    page.popup.closed = true;
    await page.pass(5000);
    assert.deepEqual(outcome, { result: "cancelled", code: "popup_closed" });
  }
});

test("a blocked popup is said at once", async () => {
  const page = browser({ blocked: true });
  const outcome = begin(page);
  await page.pass(100);
  assert.deepEqual(outcome, { result: "blocked", code: "popup_blocked" });
  assert.equal(page.channels.size, 0);
});

test("C1: a connect token is posted into the popup and stands in no address", async () => {
  const page = browser();
  begin(page, waits, { url: "https://api.example/connect/start", form: { token: "secret", connection: "con_1" } });
  assert.deepEqual(page.opened, [["about:blank", "tributary-att_1"]]);
  assert.deepEqual(page.posted, [
    ["https://api.example/connect/start", { token: "secret", connection: "con_1" }, "tributary-att_1"],
  ]);
});

test("a wait can be given up", async () => {
  const page = browser();
  const stop = new AbortController();
  const outcome = begin(page, waits, { signal: stop.signal });
  stop.abort();
  await page.pass(100);
  assert.deepEqual(outcome, { result: "cancelled", code: "aborted" });
});
