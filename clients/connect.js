/*
 * Connects an application from a single-page application: opens a popup, and says what came of it.
 * No dependencies. Apache-2.0, like the repository.
 *
 * The result travels in two ways, and neither needs `window.opener`, so cross-origin isolation
 * (COOP `same-origin`) on either side changes nothing:
 *
 *   1. The page at `returnTo` calls `announce()`; it tells all windows of its origin on a
 *      BroadcastChannel, and closes itself.
 *   2. `ask` reads `GET /v1/connections/{id}/attempts/{attempt}`, through whatever the application
 *      uses to call the API. It is asked while the popup is open, and always once more when the popup
 *      is closed: only an attempt that is still waiting then is `cancelled`.
 *
 * On the page that begins (in a click's handler, or browsers block the popup):
 *
 *   import { connect } from "./connect.js";
 *   const answer = await api.post("/v1/connections", { ..., returnTo: location.origin + "/connected" });
 *   const { result, code } = await connect({
 *     url: answer.startUrl,
 *     attempt: answer.attemptId,
 *     ask: () => api.get(`/v1/connections/${answer.id}/attempts/${answer.attemptId}`),
 *   });
 *
 * With a connect token instead of a session, `form` is posted into the popup:
 *
 *   connect({ url: apiUrl + "/connect/start", form: { token, connection }, attempt: attemptId, ask });
 *
 * On the page at `returnTo`:
 *
 *   import { announce } from "./connect.js";
 *   announce();
 *
 * `result` is `connected`, `limited`, `unconfirmed`, `denied`, `failed`, `cancelled` (the popup was
 * closed and nothing happened) or `blocked` (the browser did not open the popup).
 */

/** Name of the channel on which the return page tells its result. */
export const CHANNEL = "tributary-connect";

/** How often a popup is looked at, in milliseconds. */
const LOOK = 500;
/** How often the API is asked while the popup is open, in looks. */
const ASK_EVERY = 4;
/**
 * How long after a popup was closed an attempt may still be waiting before it counts as cancelled: a
 * callback can be under way when the window is closed. Together with a look and an answer that takes long, less than 5 seconds.
 */
const GRACE = 2500;

/**
 * Opens the popup and resolves to `{ result, code }`, once. Never rejects because of the network: an
 * attempt that cannot be asked about is asked about again.
 *
 * @param {object} options
 * @param {string} options.url Start link, or the address that `form` is posted to.
 * @param {string} options.attempt The attempt's id.
 * @param {() => Promise<{state: string, result?: string, code?: string}>} options.ask Reads the attempt.
 * @param {Record<string, string>} [options.form] Fields to post into the popup instead of opening `url`.
 * @param {string} [options.features] Features of the popup.
 * @param {AbortSignal} [options.signal] Stops waiting; the result is `cancelled`.
 * @param {object} [browser] Stands for the browser; for tests.
 */
export function connect(options, browser = realBrowser()) {
  const { url, attempt, ask, form, features = "popup,width=600,height=720", signal } = options;
  const channel = browser.channel(CHANNEL);
  const popup = browser.open(form ? "about:blank" : url, `tributary-${attempt}`, features);
  if (!popup) {
    channel.close();
    return Promise.resolve({ result: "blocked", code: "popup_blocked" });
  }
  if (form) browser.post(url, form, `tributary-${attempt}`);

  return new Promise((resolve) => {
    let done = false;
    let looks = 0;
    let closedAt;
    const end = (outcome) => {
      if (done) return;
      done = true;
      channel.close();
      resolve(outcome);
    };
    channel.onmessage = ({ data }) => {
      if (data?.attempt === attempt && typeof data.result === "string") {
        end({ result: data.result, code: data.code });
      }
    };
    signal?.addEventListener("abort", () => end({ result: "cancelled", code: "aborted" }));

    const finished = async () => {
      try {
        const seen = await within(ask(), LOOK * 2, browser);
        if (seen?.state !== "finished") return false;
        end({ result: seen.result, code: seen.code });
        return true;
      } catch {
        return false;
      }
    };

    const look = async () => {
      if (done) return;
      looks += 1;
      // With COOP the handle can say "closed" although the window is open: the attempt decides, and a
      // result that comes on the channel meanwhile wins.
      closedAt ??= popup.closed ? browser.now() : undefined;
      const asks = closedAt !== undefined || looks % ASK_EVERY === 0;
      if (asks && (await finished())) return;
      if (closedAt !== undefined && browser.now() - closedAt >= GRACE) {
        end({ result: "cancelled", code: "popup_closed" });
        return;
      }
      browser.later(look, LOOK);
    };
    browser.later(look, LOOK);
  });
}

/**
 * Tells the waiting page what the address of this one says, and closes the window. For the page at
 * `returnTo`. Resolves to what was told.
 */
export function announce(browser = realBrowser()) {
  const query = new URLSearchParams(browser.search());
  const told = {
    connection: query.get("connection") ?? undefined,
    attempt: query.get("attempt") ?? undefined,
    result: query.get("result") ?? undefined,
    code: query.get("code") ?? undefined,
  };
  const channel = browser.channel(CHANNEL);
  channel.postMessage(told);
  channel.close();
  browser.close();
  return told;
}

/** A promise that does not take longer than so many milliseconds. */
function within(promise, milliseconds, browser) {
  return Promise.race([
    promise,
    new Promise((_, reject) => browser.later(() => reject(new Error("no answer")), milliseconds)),
  ]);
}

/* v8 ignore start: what a browser has and Node has not */
function realBrowser() {
  return {
    channel: (name) => new BroadcastChannel(name),
    open: (url, name, features) => window.open(url, name, features),
    post: (url, fields, target) => {
      const form = document.createElement("form");
      Object.assign(form, { method: "post", action: url, target, hidden: true });
      for (const [name, value] of Object.entries(fields)) {
        form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
      }
      document.body.append(form);
      form.submit();
      form.remove();
    },
    later: (work, milliseconds) => setTimeout(work, milliseconds),
    now: () => performance.now(),
    search: () => location.search,
    close: () => window.close(),
  };
}
/* v8 ignore stop */
