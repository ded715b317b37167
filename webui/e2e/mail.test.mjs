// Somebody in Chromium with links from mails: a new account, a forgotten password.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openBrowser, startServer } from "./hearth.mjs";
import { startMailServer } from "./mail.mjs";

describe("links in mails", { timeout: 120_000 }, () => {
  let mail;
  let server;
  let browser;
  let ann;

  before(async () => {
    mail = await startMailServer();
    server = await startServer((url) => mail.options(url));
    browser = await openBrowser();
    ann = await browser.person();
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
    await mail?.close();
  });

  const signIn = async (password) => {
    await ann.page.getByLabel("User name or e-mail").fill("ann");
    await ann.page.getByLabel("Password").fill(password);
    await ann.page.getByRole("button", { name: "Sign in" }).click();
  };

  it("a new account waits for its mail", async () => {
    await ann.page.goto(`${server.url}/register`);
    await ann.page.getByLabel("Your user name").fill("ann");
    await ann.page.getByLabel("E-mail").fill("ann@warty.example");
    await ann.page.getByLabel("Password").fill("password123");
    await ann.page.getByRole("button", { name: "Make the account" }).click();
    await ann.page.getByRole("heading", { name: "Look into your mail" }).waitFor();
    await ann.page.getByText("A link is on its way to ann@warty.example.").waitFor();
    await ann.page.getByRole("link", { name: "Sign in" }).click();
    await signIn("password123");
    await ann.page.getByText("Your e-mail address is not confirmed yet.").waitFor();
  });

  it("the link in the mail opens it", async () => {
    const { subject, link } = await mail.next("ann@warty.example");
    assert.equal(subject, "Confirm your e-mail address for Hearth");
    assert.ok(link.startsWith(`${server.url}/verify#`), link);
    await ann.page.goto(link);
    await ann.page.getByRole("heading", { name: "Confirm your e-mail address" }).waitFor();
    await ann.page.getByRole("button", { name: "Confirm the address" }).click();
    await ann.page.getByRole("heading", { name: "Your address is confirmed" }).waitFor();
    await ann.page.goto("about:blank");
    await ann.page.goto(link);
    await ann.page.getByRole("button", { name: "Confirm the address" }).click();
    await ann.page.getByRole("heading", { name: "This link does not work any more" }).waitFor();
    await ann.page.getByRole("link", { name: "Sign in" }).click();
    await signIn("password123");
    await ann.page.getByRole("navigation", { name: "Rooms and people" }).waitFor();
    await mail.next("ann@warty.example"); // of the try to sign in before
  });

  it("a forgotten password is chosen anew with a mailed link", async () => {
    const other = await browser.person();
    await other.page.goto(server.url);
    await other.page.getByRole("link", { name: "Send me a reset link" }).click();
    await other.page.getByLabel("E-mail").fill("ann@warty.example");
    await other.page.getByRole("button", { name: "Send the link" }).click();
    await other.page.getByRole("heading", { name: "Look into your mail" }).waitFor();
    const { subject, link } = await mail.next("ann@warty.example");
    assert.equal(subject, "Choose a new password for Hearth");
    assert.ok(link.startsWith(`${server.url}/reset#`), link);
    await other.page.goto(link);
    await other.page.getByLabel("New password").fill("a few new words");
    await other.page.getByRole("button", { name: "Set the password" }).click();
    await other.page.getByRole("heading", { name: "The new password works" }).waitFor();
    await ann.page.getByText("You were signed out here from another device.").waitFor();
    await signIn("a few new words");
    await ann.page.getByRole("navigation", { name: "Rooms and people" }).waitFor();
    assert.deepEqual([...ann.errors, ...other.errors, ...ann.foreign, ...other.foreign], []);
  });
});
