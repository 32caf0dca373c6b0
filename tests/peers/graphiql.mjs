// graphiql.mjs URL TOKEN PURPOSE: use the page with a token as a person would, and print what was
// seen.
import { open } from "./browser.mjs";
import { purpose, sell, token, until, url } from "./hub.mjs";
import { bar, response, waitForResponse } from "./page.mjs";

const { browser, page, seen } = await open();
const told = {};

async function follow(query) {
  await page.goto(`${url}/graphiql/#query=${encodeURIComponent(query)}`);
  await page.reload();
  await page.waitForSelector(".graphiql-query-editor .view-line");
  await page.click(".graphiql-execute-button");
  await until("open_streams", 1);
  await sell(1);
  return waitForResponse(page, '"data"');
}

try {
  await page.goto(`${url}/graphiql`);
  await page.waitForSelector(".graphiql-query-editor .view-line");
  told.editor = await page.$eval(".graphiql-query-editor", (element) => element.innerText);
  told.withoutToken = await waitForResponse(page, "Sign in above").catch(() => response(page));

  await page.type("input[name=token]", "no token");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".bar [role=alert]");
  told.wrongToken = await bar(page);

  await page.type("input[name=token]", token);
  await page.keyboard.press("Enter");
  await page.waitForSelector("select[name=purpose]");
  await page.select("select[name=purpose]", purpose);
  await page.waitForSelector(".graphiql-doc-explorer-root-type, .graphiql-sidebar button");
  await page.click(".graphiql-sidebar button");
  await page.waitForSelector(".graphiql-doc-explorer-root-type");
  told.documentation = await page.$eval(".graphiql-doc-explorer", (element) => element.innerText);
  await page.click(".graphiql-doc-explorer-root-type ~ a, .graphiql-doc-explorer-type-name");
  told.customers = await page.$eval(".graphiql-doc-explorer", (element) => element.innerText);

  await page.click(".graphiql-execute-button");
  told.answer = await waitForResponse(page, '"data"');
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
  const changes = "subscription { customerChanged { type customer { displayName } } }";
  told.subscription = await follow(changes);
  told.kept = await page.evaluate(() => [Object.keys(localStorage), document.cookie]);
} finally {
  console.log(JSON.stringify({ ...told, ...seen, address: page.url() }));
  await browser.close();
}
