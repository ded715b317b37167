// What the browser tests stand on: the built binary on a free port, and people in Chromium.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const binary = process.env.HEARTH_BIN ?? fileURLToPath(new URL("../../bin/hearth", import.meta.url));
const browserPath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Milliseconds for one step of a test on a busy machine. */
const patience = 20_000;

/**
 * Starts Hearth in a folder of its own. The port stays the same across restarts. An option
 * may be a function that makes options of the address.
 */
export async function startServer(...options) {
  if (!existsSync(binary)) throw new Error(`There is no ${binary}: build it, or set HEARTH_BIN.`);
  const port = await freePort();
  const data = mkdtempSync(join(tmpdir(), "hearth-e2e-"));
  const server = { url: `http://127.0.0.1:${port}`, data, setupLink: "" };
  const more = options.flatMap((option) => (typeof option === "function" ? option(server.url) : option));
  const args = ["serve", "--data", data, "--listen", `127.0.0.1:${port}`, "--bcrypt-cost", "4", ...more];
  let child;
  server.start = async () => {
    child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    const hear = (chunk) => (said += chunk);
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`Hearth ended at once:\n${said}`);
      return (await fetch(`${server.url}/health`).catch(() => undefined))?.ok;
    });
    server.setupLink ||= /\S+\/setup#\S+/.exec(said)?.[0] ?? "";
  };
  const end = (signal) => {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    return gone;
  };
  server.kill = () => end("SIGKILL");
  server.stop = () => (child.exitCode === null && child.signalCode === null ? end("SIGTERM") : undefined);
  /** Makes an account without a browser, to have company. */
  server.account = async (username) => {
    const call = async (method, path, body, token = "") => {
      const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
      const response = await fetch(server.url + path, { method, headers, body: body && JSON.stringify(body) });
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
      return response.json();
    };
    const { token } = await call("POST", "/api/auth/register", { username, email: `${username}@warty.example`, password: "password123" });
    return {
      call: (method, path, body) => call(method, path, body, token),
      post: (room, content) => call("POST", `/api/chat/rooms/${room}/messages`, { content }, token),
    };
  };
  await server.start();
  process.once("exit", () => {
    child.kill("SIGKILL");
    rmSync(data, { recursive: true, force: true });
  });
  return server;
}

/** Opens Chromium. Without it the tests fail: a browser test that is skipped says nothing. */
export async function openBrowser() {
  if (!existsSync(browserPath)) throw new Error(`There is no ${browserPath}: install chromium, or set CHROMIUM.`);
  const browser = await chromium.launch({ executablePath: browserPath, headless: true, args: flags });
  return {
    close: () => browser.close(),
    person: async (options = {}) => newPerson(await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })),
  };
}

/** Somebody with a browser of their own. */
async function newPerson(context) {
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  const person = { context, page, errors: [], foreign: [] };
  page.on("pageerror", (error) => person.errors.push(error.message));
  page.on("console", (m) => /Content Security Policy|React|Uncaught/.test(m.text()) && m.type() === "error" && person.errors.push(m.text()));
  page.on("request", (r) => new URL(r.url()).hostname !== "127.0.0.1" && !r.url().startsWith("data:") && person.foreign.push(r.url()));
  person.composer = () => page.getByRole("textbox", { name: /^Message / });
  person.row = (text) => page.locator("article").filter({ hasText: text });
  person.room = (name) => page.getByRole("navigation", { name: "Rooms and people" }).getByRole("link", { name });
  person.sees = (text) => person.row(text).first().waitFor();
  /** Waits until the server has said that a message is on its disk. */
  person.stored = (text) => page.locator("article[data-seq]").filter({ hasText: text }).waitFor();
  person.say = async (text) => {
    await person.composer().fill(text);
    await page.keyboard.press("Enter");
  };
  /** The words of every message on screen, in order. */
  person.texts = () => page.locator("article[data-seq]").evaluateAll((rows) => rows.map((row) => row.querySelector("p")?.textContent));
  person.signIn = async (name, password = "password123") => {
    await page.getByLabel("User name or e-mail").fill(name);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  return person;
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Waits until check gives something true; it is asked ten times a second. */
export async function until(check, limit = patience) {
  for (const end = Date.now() + limit; Date.now() < end; ) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`This did not come true in ${limit / 1000} s: ${check}`);
}
