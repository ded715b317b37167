// A long room in Chromium: scrolling back through it, and what comes while somebody reads there.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openBrowser, startServer, until } from "./hearth.mjs";

const total = 700;

describe("a long room", { timeout: 240_000 }, () => {
  let server;
  let browser;
  let ann;
  let bob;
  let room;

  before(async () => {
    server = await startServer("--limits", "off");
    browser = await openBrowser();
    bob = await server.account("bob");
    room = (await bob.call("POST", "/api/chat/rooms", { name: "ubuntu" })).id;
    for (let i = 1; i <= total; i++) await bob.post(room, words(i));
    const account = await server.account("ann");
    await account.call("POST", `/api/chat/rooms/${room}/join`, {});
    ann = await browser.person();
    await ann.page.goto(server.url);
    await ann.signIn("ann");
    await ann.sees(`message ${total} `);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  it("opens at the newest message", async () => {
    await until(() => ann.page.evaluate(atEnd));
  });

  it("older messages come while scrolling, and nothing on screen moves by itself", async () => {
    await ann.page.mouse.move(640, 400);
    await ann.page.evaluate(watchMoves);
    for (let i = 0; i < 250; i++) {
      await ann.page.mouse.wheel(0, -100);
      await ann.page.evaluate(() => new Promise(requestAnimationFrame));
    }
    const { frames, odd } = await ann.page.evaluate(() => window.watched);
    assert.ok(frames > 100, `${frames} frames were seen`);
    assert.deepEqual(odd, [], "rows moved apart or against the hand");
    assert.ok(Number(await ann.page.locator("article[data-seq]").first().getAttribute("data-seq")) < total - 250);
  });

  it("what is said meanwhile moves nothing, counts in the pill, and the pill leads there", async () => {
    await ann.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 500)));
    const before = await ann.page.evaluate(place);
    for (let i = 1; i <= 3; i++) await bob.post(room, `news ${i}`);
    await ann.page.getByRole("button", { name: "Latest (3)" }).waitFor();
    assert.deepEqual(await ann.page.evaluate(place), before);
    await ann.page.getByRole("button", { name: "Latest (3)" }).click();
    await ann.sees("news 3");
    await until(() => ann.page.evaluate(atEnd));
    await ann.page.getByRole("button", { name: /^Latest/ }).waitFor({ state: "detached" });
  });

  it("at the end it stays at the end", async () => {
    for (let i = 1; i <= 20; i++) await bob.post(room, `more ${words(i)}`);
    await ann.sees("more message 20 ");
    await until(() => ann.page.evaluate(atEnd));
  });

  it("the whole room can be scrolled through: every message once, in order", async () => {
    const seen = new Set();
    for (let turns = 0, still = 0, top = -1; still < 5; turns++) {
      assert.ok(turns < 600, `the beginning is not reached; the view is at ${top} px`);
      for (const seq of await ann.page.locator("article[data-seq]").evaluateAll((rows) => rows.map((r) => Number(r.dataset.seq)))) seen.add(seq);
      await ann.page.mouse.wheel(0, -450);
      await ann.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 30)));
      const now = await ann.page.evaluate(() => document.querySelector("[data-timeline]").scrollTop);
      still = now === top && now === 0 ? still + 1 : 0;
      top = now;
    }
    await ann.page.getByText("This is the beginning of #ubuntu").waitFor();
    const missing = Array.from({ length: total }, (_, i) => i + 2).filter((seq) => !seen.has(seq));
    assert.deepEqual(missing, []);
    const order = await ann.page.locator("article[data-seq]").evaluateAll((rows) => rows.map((r) => Number(r.dataset.seq)));
    assert.deepEqual(order, [...new Set(order)].sort((a, b) => a - b));
  });

  it("a link to a message opens the room there", async () => {
    const [target] = await bob.call("GET", `/api/messages/room/${room}?limit=1&before=${(await bob.call("GET", `/api/messages/room/${room}?limit=200`))[0].id}`);
    await ann.page.goto(`${server.url}/rooms/${room}?message=${target.id}`);
    const row = ann.page.locator(`article[data-seq="${target.seq}"]`);
    await row.waitFor();
    await until(async () => {
      const box = await row.boundingBox();
      return box && box.y > 56 && box.y < 700;
    });
  });

  it("unread messages far above: the pill says how many and leads to the line", async () => {
    await ann.page.goto("about:blank");
    for (let i = 1; i <= 90; i++) await bob.post(room, `later ${words(i)}`);
    await ann.page.goto(`${server.url}/rooms/${room}`);
    await ann.sees("later message 90 ");
    await ann.page.getByRole("button", { name: /^90 new since .*, jump up$/ }).click();
    await ann.sees("later message 1 ");
    await ann.page.getByText(/^90 new since \d\d:\d\d$/).waitFor();
  });
});

/** Messages of different heights, as in life. */
function words(i) {
  const body = i % 7 === 0 ? "\n```\nsudo apt-get update\nsudo apt-get install something\n```" : "word ".repeat(1 + ((i * 37) % 90));
  return `message ${i} ${body}`;
}

function atEnd() {
  const box = document.querySelector("[data-timeline]");
  return box.scrollHeight - box.scrollTop - box.clientHeight < 2;
}

/** Where the messages on screen stand, to the pixel. */
function place() {
  return [...document.querySelectorAll("article[data-seq]")]
    .map((row) => [row.dataset.seq, Math.round(row.getBoundingClientRect().top)])
    .filter(([, top]) => top > 56 && top < 600);
}

/** Notes every frame in which rows on screen moved apart, or the other way than the wheel turned. */
function watchMoves() {
  window.watched = { frames: 0, odd: [] };
  let before = new Map();
  const look = () => {
    const rows = [...document.querySelectorAll("article[data-seq]")];
    const now = new Map(rows.map((row) => [row.dataset.seq, row.getBoundingClientRect().top]));
    const moves = [...now].filter(([seq, top]) => before.has(seq) && top > 56 && top < 700 && before.get(seq) > 56).map(([seq, top]) => top - before.get(seq));
    const [least, most] = [Math.min(...moves), Math.max(...moves)];
    if (moves.length > 0 && (most - least > 1 || least < -1)) window.watched.odd.push([Math.round(least), Math.round(most)]);
    window.watched.frames++;
    before = now;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
