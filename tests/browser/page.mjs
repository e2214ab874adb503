// Opens pages of pictures in a browser as a user does: from a file, without a network.
//
//   node page.mjs gram_schmidt_5.html gram_schmidt_100.html loop.html [folder for screenshots]
//
// scripts/test-browser.sh makes the pages, gets playwright-core, and runs this.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(path.join(process.env.AUTOJIT_PLAYWRIGHT, "package.json"));
const { chromium } = require("playwright-core");
const [small, large, loop, screenshots] = process.argv.slice(2);

const browser = await chromium.launch({
  executablePath: process.env.AUTOJIT_CHROMIUM,
  // A sandbox needs rights that containers do not give; the pages are our own.
  args: ["--no-sandbox"],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });

async function open(file) {
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => { if (message.type() === "error") problems.push(message.text()); });
  page.on("request", (request) => { if (!request.url().startsWith("file:")) problems.push(`asks for ${request.url()}`); });
  await page.goto(pathToFileURL(path.resolve(file)).href);
  return { page, problems };
}

let number = 0;
async function picture(page, name) {
  if (screenshots) await page.screenshot({ path: path.join(screenshots, `${String(++number).padStart(2, "0")}-${name}.png`) });
}

const details = (page) => page.locator("#details").innerText();
const tab = (page, name) => page.getByRole("tab", { name, exact: true }).click();

// What a click tells, which nodes it marks, and how far the details lead.
{
  const { page, problems } = await open(small);
  await picture(page, "circuit");
  await tab(page, "Graph");
  await picture(page, "graph");
  const norm = page.locator("section:not([hidden]) .mark", { hasText: "norm" }).first();
  await norm.hover();
  const tip = await page.locator("#tip").innerText();
  assert.match(tip, /^norm order=None/);
  assert.match(tip, /f64\[\], 1 element\n/);
  assert.match(tip, /pictures\.rs:\d+:\d+/);
  await norm.click();
  const text = await details(page);
  assert.match(text, /^norm\n/);
  assert.match(text, /f64\[\]/);
  assert.match(text, /examples\/pictures\.rs:\d+:\d+/);
  assert.match(text, /INPUTS \(1\)/);
  assert.match(text, /USERS \(1\)\n#\d+ truediv f64\[5\]/);
  const shown = page.locator("section:not([hidden])");
  assert.equal(await shown.locator(".mark.is-picked").count(), 1);
  assert.equal(await shown.locator(".mark.is-input").count(), 1);
  assert.equal(await shown.locator(".mark.is-user").count(), 1);
  assert.equal(await shown.locator(".links path").count(), 2);
  await picture(page, "picked");

  // From user to user, as far as the result.
  await page.locator("#details").getByRole("button", { name: /truediv/ }).click();
  assert.match(await details(page), /^truediv\n/);
  await page.keyboard.press("Escape");
  assert.equal(await shown.locator(".is-picked, .is-input, .is-user").count(), 0);
  assert.match(await details(page), /Click a node/);

  await page.locator("#search").fill("tensordot");
  assert.equal(await page.locator("#found").innerText(), "10 found");
  assert.equal(await shown.locator(".mark.is-found").count(), 10);
  await page.keyboard.press("Enter");
  assert.match(await details(page), /^tensordot\n/);
  await picture(page, "search");
  await page.locator("#search").fill("");

  // Zooming keeps what is under the pointer, dragging moves it.
  const place = async () => { const box = await norm.boundingBox(); return [box.x + box.width / 2, box.y + box.height / 2, box.width]; };
  await page.getByRole("button", { name: "Fit" }).click();
  const [x, y, width] = await place();
  await page.mouse.move(x, y);
  await page.mouse.wheel(0, -400);
  const zoomed = await place();
  assert.ok(zoomed[2] > 1.5 * width, `${zoomed[2]} after ${width}`);
  assert.ok(Math.hypot(zoomed[0] - x, zoomed[1] - y) < 4, `${zoomed} after ${[x, y]}`);
  await page.mouse.move(30, 400);
  await page.mouse.down();
  await page.mouse.move(90, 430, { steps: 4 });
  await page.mouse.up();
  const moved = await place();
  assert.ok(Math.abs(moved[0] - zoomed[0] - 60) < 3 && Math.abs(moved[1] - zoomed[1] - 30) < 3, `${moved} after ${zoomed}`);

  for (const name of ["Memory", "Sizes", "Functions", "Circuit"]) {
    await tab(page, name);
    assert.equal(await page.locator("section:not([hidden])").count(), 1);
    await picture(page, name.toLowerCase());
  }
  await page.locator("section:not([hidden]) .mark").last().click();
  assert.match(await details(page), /^stack\n[\s\S]*a result/);
  await picture(page, "result");
  await page.setViewportSize({ width: 390, height: 800 });
  await picture(page, "narrow");
  await page.setViewportSize({ width: 1280, height: 800 });
  assert.deepEqual(problems, []);
}

// A graph that is drawn as groups: a click lists the nodes, and each of them has its details.
{
  const { page, problems } = await open(large);
  await picture(page, "large-circuit");
  await tab(page, "Graph");
  await page.waitForSelector("section:not([hidden]) .mark");
  await picture(page, "large-graph");
  assert.ok(await page.locator("section:not([hidden]) .mark").count() <= 1500);
  const group = page.locator("section:not([hidden]) .mark", { hasText: /mul ×\d/ }).first();
  await group.click();
  assert.match(await details(page), /^mul × \d+\n/);
  await page.locator("#details button").first().click();
  assert.match(await details(page), /examples\/pictures\.rs:\d+:\d+/);
  await picture(page, "large-picked");
  await page.locator("#search").fill("stack");
  await page.keyboard.press("Enter");
  assert.match(await details(page), /^stack\n/);
  await picture(page, "large-found");
  assert.deepEqual(problems, []);
}

// A loop opens at a click, the branch in it does, and the way back leads over the nodes that were opened.
{
  const { page, problems } = await open(loop);
  await tab(page, "Graph");
  const shown = page.locator("section:not([hidden])");
  const path = page.locator("#path");
  assert.equal(await path.isVisible(), false);
  assert.equal(await shown.locator(".mark.opens").count(), 1);
  const scan = shown.locator(".mark.opens");
  await scan.click();
  assert.match(await details(page), /INSIDE \(1\)\nOpen body, \d+ nodes/);
  await picture(page, "loop-picked");
  await page.locator("#details").getByRole("button", { name: /Open body/ }).click();
  assert.equal(await shown.count(), 1);
  assert.match(await path.innerText(), /whole\s*›\s*scan #\d+: body/);
  assert.match(await details(page), /Click a node/);
  await picture(page, "body");
  await shown.locator(".mark.opens").dblclick();
  assert.match(await path.innerText(), /body\s*›\s*switch #\d+: branch 1/);
  await shown.locator(".mark", { hasText: "sin" }).click();
  assert.match(await details(page), /examples\/pictures\.rs:\d+:\d+/);
  await tab(page, "Circuit");
  assert.equal(await shown.count(), 1);
  await picture(page, "branch");
  await tab(page, "Graph");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  assert.match(await details(page), /^switch\n[\s\S]*INSIDE \(2\)/);
  await path.getByRole("button", { name: "whole" }).click();
  assert.match(await details(page), /^scan\n/);
  assert.equal(await path.isVisible(), false);
  assert.equal(await shown.locator(".mark.is-picked").count(), 1);
  assert.deepEqual(problems, []);
}

await browser.close();
console.log("the pages do what they should");
