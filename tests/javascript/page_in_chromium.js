// Opens the page of a WebSocket listener in Chromium: two sessions in tabs of the page, and one in
// another window, talk in a chat room. With a file name, takes a picture.

const assert = require("node:assert");
const { chromium } = require("playwright-core");

async function main() {
  const [executablePath, address, picture] = process.argv.slice(2);
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const problems = [];
  const open = async (options) => {
    const page = await browser.newPage(options);
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(address);
    await page.getByRole("status").filter({ hasText: "open" }).waitFor();
    return page;
  };
  const say = async (page, line) => {
    await page.getByRole("textbox", { name: "Message" }).fill(line);
    await page.keyboard.press("Enter");
  };
  const hears = (page, text) => page.getByRole("log").filter({ hasText: text }).waitFor();

  const ann = await open({ viewport: { width: 1120, height: 640 } });
  const bob = await open({ colorScheme: "dark" });
  await say(ann, "/nick ann");
  await hears(ann, "you are ann now");
  await say(bob, "/nick bob");
  await hears(ann, "bob");
  await say(bob, "Hello from another window!");
  await hears(ann, "Hello from another window!");
  await say(ann, "Hello, bob.");
  await hears(bob, "Hello, bob.");

  // Another session in a tab of the same page.
  await ann.getByRole("button", { name: "New session" }).click();
  await hears(ann, "Connected to");
  await say(ann, "/nick cat");
  await hears(bob, "cat");
  await ann.getByRole("tab", { name: "Session 1" }).click();
  await hears(ann, "cat");
  await ann.getByRole("radio", { name: "hex" }).click();
  await hears(ann, "48 65 6c 6c 6f 2c 20 62 6f 62 2e");
  await ann.getByRole("radio", { name: "text" }).click();
  assert.equal(await ann.evaluate(() => document.querySelectorAll("[style]").length), 0);
  if (picture) await ann.screenshot({ path: picture });

  await bob.getByRole("button", { name: "Disconnect" }).click();
  await bob.getByRole("status").filter({ hasText: "closed" }).waitFor();
  assert.deepEqual(problems, []);
  await browser.close();
  console.log("they talked");
}

main();
