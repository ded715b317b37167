// Two people in Chromium against the built binary: first run, talk, reload, offline and back, phone, keyboard, sign out.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openBrowser, startServer } from "./hearth.mjs";

const seconds = 1_000;

describe("two people talk", { timeout: 240 * seconds }, () => {
  let server;
  let browser;
  let ann;
  let bob;
  let invite;

  before(async () => {
    server = await startServer();
    browser = await openBrowser();
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  it("the printed link makes the administrator, the workspace and its first room", async () => {
    ann = await browser.person();
    await ann.page.goto(server.setupLink);
    await ann.page.getByRole("heading", { name: "Light the fire" }).waitFor();
    await ann.page.getByLabel("Name of your workspace").fill("Warty Workshop");
    await ann.page.getByLabel("Your user name").fill("ann");
    await ann.page.getByLabel("First room").fill("ubuntu");
    await ann.page.getByLabel("E-mail").fill("ann@warty.example");
    await ann.page.getByLabel("Password").fill("password123");
    await ann.page.getByRole("button", { name: "Create the workspace" }).click();
    await ann.page.getByRole("heading", { name: "Bring people in" }).waitFor();
    await ann.page.getByRole("img", { name: "QR code of the invite link" }).waitFor();
    invite = await ann.page.getByRole("textbox", { name: "Invite link" }).inputValue();
    assert.match(invite, /\/join\/\w+$/);
    await ann.page.getByRole("button", { name: "Copy" }).click();
    await ann.page.getByRole("button", { name: "Copied" }).waitFor();
    await ann.page.getByRole("button", { name: "Go to #ubuntu" }).click();
    await ann.composer().waitFor();
    assert.equal(await ann.page.title(), "#ubuntu, Warty Workshop");
  });

  it("a second person registers with the invite and lands in the room", async () => {
    bob = await browser.person({ colorScheme: "dark" });
    await bob.page.goto(invite);
    await bob.page.getByText("You are invited to Warty Workshop.").waitFor();
    await bob.page.getByLabel("Your user name").fill("bob");
    await bob.page.getByLabel("E-mail").fill("bob@warty.example");
    await bob.page.getByLabel("Password").fill("password123");
    await bob.page.getByRole("button", { name: "Make the account" }).click();
    await bob.composer().waitFor();
    await ann.page.getByRole("log").getByText("bob joined the room").waitFor();
  });

  it("they see each other's words and typing as they come", async () => {
    await ann.say("hmm. What is the **output** of this command?");
    await bob.sees("hmm. What is the output of this command?");
    await bob.composer().pressSequentially("that works");
    await ann.page.getByText("bob is typing").waitFor();
    await bob.say("that works great, @ann");
    await ann.sees("that works great, @ann");
    await ann.page.getByText("bob is typing").waitFor({ state: "detached" });
    assert.equal(await ann.page.locator("strong", { hasText: "output" }).count(), 1);
  });

  it("nothing in a message runs", async () => {
    await bob.say('<img src=x onerror="window.ran=1"><script>window.ran=1</script> [x](javascript:window.ran=1)');
    await ann.sees('<img src=x onerror="window.ran=1">');
    assert.equal(await ann.page.evaluate(() => window.ran), undefined);
    assert.equal(await ann.page.locator("article img, article script").count(), 0);
  });

  it("edit, answer, react and delete reach the other side", async () => {
    const row = bob.row("that works great");
    await row.hover();
    await row.getByRole("button", { name: "Edit" }).click();
    await bob.page.getByLabel("Edit the message").fill("that works very well");
    await bob.page.keyboard.press("Enter");
    await ann.row("that works very well").getByText("(edited)").waitFor();
    await ann.row("that works very well").hover();
    await ann.row("that works very well").getByRole("button", { name: "React with 👍" }).click();
    await bob.row("that works very well").getByRole("button", { name: "👍 1: ann" }).waitFor();
    await ann.row("that works very well").hover();
    await ann.row("that works very well").getByRole("button", { name: "Reply" }).click();
    await ann.say("glad to hear it");
    await bob.row("glad to hear it").getByText("that works very well").waitFor();
    await bob.row("<img src=x").hover();
    await bob.row("<img src=x").getByRole("button", { name: "Delete" }).click();
    await bob.page.getByRole("button", { name: "Delete message" }).click();
    await ann.page.getByText("Message deleted by bob").waitFor();
  });

  it("a reload shows the same conversation once", async () => {
    const before = await bob.texts();
    await bob.page.reload();
    await bob.sees("glad to hear it");
    assert.deepEqual(await bob.texts(), before);
  });

  it("a room out of sight counts what is new, and reading it counts down", async () => {
    await ann.page.getByRole("button", { name: "New room" }).click();
    await ann.page.getByRole("textbox", { name: "Name" }).fill("cafeteria");
    await ann.page.getByRole("button", { name: "Create room" }).click();
    await ann.page.getByRole("heading", { name: "cafeteria", exact: true }).waitFor();
    await bob.page.getByRole("link", { name: "Browse rooms" }).click();
    await bob.page.getByRole("button", { name: "Join cafeteria" }).click();
    await bob.composer().waitFor();
    await ann.say("coffee?");
    await bob.sees("coffee?");
    await ann.room("ubuntu").click();
    await ann.sees("glad to hear it");
    await bob.say("yes");
    await bob.say("@ann with milk");
    await ann.room("cafeteria").getByRole("img", { name: "1 mentions" }).waitFor();
    assert.equal(await ann.page.title(), "(1) #ubuntu, Warty Workshop");
    await ann.room("cafeteria").click();
    await ann.page.getByText("2 new since").waitFor();
    await ann.room("cafeteria").getByRole("img", { name: "1 mentions" }).waitFor({ state: "detached" });
    assert.equal(await ann.page.title(), "#cafeteria, Warty Workshop");
  });

  it("a direct message reaches only the other person", async () => {
    await ann.page.getByRole("link", { name: "New direct message" }).click();
    await ann.page.getByRole("button", { name: "Write to bob" }).click();
    await ann.say("just between us");
    await bob.room("ann").getByRole("img", { name: "1 unread" }).waitFor();
    await bob.room("ann").click();
    await bob.sees("just between us");
    await bob.room("ubuntu").click();
    await ann.room("ubuntu").click();
  });

  it("offline: both sides write, and afterwards nothing is lost or doubled", async () => {
    await bob.context.setOffline(true);
    await bob.page.getByText("No connection. You can read and write").waitFor({ timeout: 30 * seconds });
    await bob.say("written offline one");
    await bob.say("written offline two");
    await bob.page.getByText("Waiting for the connection. Sends by itself.").first().waitFor();
    await ann.say("said meanwhile");
    await bob.context.setOffline(false);
    await bob.page.getByText("Connected again. 2 messages sent.").waitFor();
    await bob.sees("said meanwhile");
    await ann.sees("written offline two");
    await same(ann, bob, ["written offline one", "written offline two", "said meanwhile"]);
  });

  it("a reload while offline messages wait keeps them", async () => {
    await server.stop();
    await bob.page.getByText("No connection.").waitFor({ timeout: 30 * seconds });
    await bob.say("waits across a restart");
    await ann.say("so does this");
    await server.start();
    await ann.sees("waits across a restart");
    await bob.sees("so does this");
    await same(ann, bob, ["waits across a restart", "so does this"]);
  });

  it("a killed server loses nothing that was acknowledged", async () => {
    await ann.say("before the kill");
    await ann.stored("before the kill");
    await server.kill();
    await ann.say("after the kill");
    await server.start();
    await bob.sees("after the kill");
    await same(ann, bob, ["before the kill", "after the kill"]);
  });

  it("on a phone the room stands alone, with the way back to the list", async () => {
    const phone = await browser.person({ viewport: { width: 390, height: 844 }, hasTouch: true });
    await phone.page.goto(server.url);
    await phone.signIn("bob");
    await phone.page.getByRole("navigation", { name: "Main" }).waitFor();
    await phone.room("ubuntu").click();
    await phone.sees("after the kill");
    assert.equal(await phone.page.getByRole("navigation", { name: "Main" }).count(), 0);
    await phone.composer().fill("from the phone");
    await phone.page.getByRole("button", { name: "Send" }).click();
    await ann.sees("from the phone");
    const wide = await phone.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wide <= 0, `the page is ${wide} px wider than the phone`);
    await phone.page.getByRole("link", { name: "Back to rooms" }).click();
    await phone.page.getByRole("navigation", { name: "Main" }).waitFor();
    await phone.context.close();
  });

  it("a message is sent with the keyboard alone", async () => {
    await ann.page.reload();
    await ann.sees("from the phone");
    await ann.page.keyboard.press("Control+k");
    await ann.page.getByRole("combobox", { name: "Room or person" }).waitFor();
    await ann.page.keyboard.type("cafe");
    await ann.page.getByRole("option", { name: /cafeteria/ }).first().waitFor();
    await ann.page.keyboard.press("Enter");
    await ann.page.getByRole("heading", { name: "cafeteria", exact: true }).waitFor();
    await ann.page.keyboard.press("F6");
    await ann.page.keyboard.type("only keys");
    await ann.page.keyboard.press("Enter");
    await ann.sees("only keys");
    await ann.page.keyboard.press("ArrowUp");
    await ann.page.keyboard.press("Control+a");
    await ann.page.keyboard.type("only the keys");
    await ann.page.keyboard.press("Enter");
    await ann.row("only the keys").getByText("(edited)").waitFor();
  });

  it("who leaves a room may look in and come back", async () => {
    await ann.page.getByRole("button", { name: "Room details" }).click();
    await ann.page.getByRole("button", { name: "Leave room" }).click();
    await ann.page.getByRole("complementary").waitFor({ state: "detached" });
    await ann.page.getByRole("link", { name: "Browse rooms" }).click();
    await ann.page.getByRole("button", { name: "Open cafeteria" }).click();
    await ann.sees("only the keys");
    assert.equal(await ann.composer().count(), 0);
    await ann.page.getByRole("button", { name: "Join room" }).click();
    await ann.say("back again");
    await ann.stored("back again");
  });

  it("tabs opened at the same moment share one session", async () => {
    const tabs = await Promise.all([1, 2, 3, 4].map(() => ann.context.newPage()));
    await Promise.all(tabs.map((tab) => tab.goto(server.url)));
    for (const tab of tabs) {
      await tab.getByRole("navigation", { name: "Rooms and people" }).waitFor();
      await tab.close();
    }
    await ann.page.reload();
    await ann.sees("back again");
  });

  it("a reset link gives a new password and ends the old sessions", async () => {
    await ann.page.getByRole("link", { name: "New message" }).click();
    await ann.page.getByRole("button", { name: "Make a reset link for bob" }).click();
    const link = await ann.page.getByRole("textbox", { name: "Link" }).inputValue();
    await ann.page.getByRole("button", { name: "Close" }).click();
    const other = await browser.person();
    await other.page.goto(link);
    await other.page.getByLabel("New password").fill("another password");
    await other.page.getByRole("button", { name: "Set the password" }).click();
    await other.page.getByRole("heading", { name: "The new password works" }).waitFor();
    await bob.page.getByText("You were signed out here from another device.").waitFor();
    await other.page.getByRole("link", { name: "Sign in" }).click();
    await other.signIn("bob", "another password");
    await other.page.getByRole("navigation", { name: "Rooms and people" }).waitFor();
    await other.context.close();
  });

  it("asks no other origin for anything and logs no error of its own", () => {
    for (const person of [ann, bob]) {
      assert.deepEqual(person.foreign, []);
      assert.deepEqual(person.errors, []);
    }
  });

  it("signing out leads to the door, in every tab", async () => {
    const tab = await ann.context.newPage();
    await tab.goto(server.url);
    await tab.getByRole("navigation", { name: "Rooms and people" }).waitFor();
    await ann.page.getByRole("link", { name: "Settings" }).click();
    await ann.page.getByRole("button", { name: "Sign out" }).click();
    await ann.page.getByRole("heading", { name: "Welcome back" }).waitFor();
    await tab.getByRole("heading", { name: "Welcome back" }).waitFor();
    await ann.page.reload();
    await ann.page.getByRole("heading", { name: "Welcome back" }).waitFor();
    await ann.page.getByLabel("User name or e-mail").fill("ann");
    await ann.page.getByLabel("Password").fill("wrong password");
    await ann.page.getByRole("button", { name: "Sign in" }).click();
    await ann.page.getByText("That name and password do not match.").waitFor();
    await ann.signIn("ann");
    await ann.page.getByRole("navigation", { name: "Rooms and people" }).waitFor();
  });
});

/** Both see the same conversation, and each of these texts once. */
async function same(one, other, texts) {
  for (const person of [one, other]) {
    for (const text of texts) assert.equal(await person.row(text).count(), 1, `"${text}" is there once`);
    await person.page.waitForFunction(() => document.querySelectorAll("article[data-pending]").length === 0);
  }
  assert.deepEqual(await one.texts(), await other.texts());
}
