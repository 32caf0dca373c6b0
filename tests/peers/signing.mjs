// signing.mjs URL NAME PASSWORD: sign in at the page GraphiQL with a first password, ask for one
// purpose and another, renew, and sign out; print what was seen.
import { open } from "./browser.mjs";
import { bar, waitForResponse } from "./page.mjs";

const [url, name, first] = process.argv.slice(2);
const second = "a slow train 42";
const { browser, page, seen } = await open();
const told = { asked: [] };

page.on("request", (request) => {
  const path = new URL(request.url()).pathname;
  const said = Object.fromEntries(new URLSearchParams(request.postData() ?? ""));
  if (path === "/oauth/token") told.asked.push(said.grant_type);
  if (path === "/oauth/revoke") told.asked.push("revoke");
});

async function fill(fields) {
  for (const [field, value] of Object.entries(fields)) await page.type(`input[name=${field}]`, value);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  return page.$eval("body", (element) => element.innerText);
}

async function show(name, value) {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
  return value;
}

// A tab that is copied begins with nobody, and leaves the first one in peace.
async function copy() {
  const opened = new Promise((resolve) => page.once("popup", resolve));
  await page.evaluate(() => void open(location.href));
  const copied = await opened;
  await copied.waitForSelector("button[name=enter]", { timeout: 120_000 });
  await copied.close();
  return renew();
}

const remembered = (key) => page.evaluate((key) => sessionStorage.getItem(`hub:${key}`), key);

async function ask(purpose) {
  await page.select("select[name=purpose]", purpose);
  await page.click(".graphiql-execute-button");
  return waitForResponse(page, `"purpose": "${purpose}"`);
}

// A stranger leads somebody here with a code of the stranger's own.
async function arriveUnasked() {
  const answer = new URLSearchParams({ code: "theirs", state: "theirs", iss: url });
  await page.goto(`${url}/graphiql/?${answer}`);
  await page.waitForSelector(".bar [role=alert]");
  return [await bar(page), page.url(), [...told.asked]];
}

async function renew() {
  const before = await remembered("token");
  await page.evaluate(() => sessionStorage.setItem("hub:ends", Date.now() + 5000));
  await ask("customer_service");
  return (await remembered("token")) !== before;
}

try {
  const query = "{ viewer { user client purpose } }";
  await page.goto(`${url.replace("127.0.0.1", "localhost")}/graphiql/`);
  await page.waitForSelector(".bar");
  told.away = await bar(page);
  told.unasked = await arriveUnasked();
  await page.goto(`${url}/graphiql/#query=${encodeURIComponent(query)}`);
  await page.reload();
  await page.waitForSelector("button[name=enter]");
  await show("out");
  await Promise.all([page.waitForNavigation(), page.click("button[name=enter]")]);
  await page.waitForSelector("input[name=password]");
  await show("login");
  told.forced = await fill({ name, password: first });
  await show("password");
  await fill({ password: first, new: second, again: second });
  await page.waitForSelector("select[name=purpose]");
  told.bar = await bar(page);
  told.address = page.url();
  told.purposes = await page.$$eval("option", (options) => options.map((one) => one.value));
  await page.waitForSelector(".graphiql-query-editor .view-line");
  told.analytics = await ask("analytics");
  told.service = await ask("customer_service");
  await show("in");
  told.isRenewed = await renew();
  told.isAlone = await copy();
  await page.reload();
  await page.waitForSelector("button[name=leave]");
  told.kept = await page.evaluate(() => [Object.keys(localStorage), document.cookie]);

  told.token = await remembered("token");
  await page.click("button[name=leave]");
  await page.waitForSelector("button[name=enter]");
  told.left = await bar(page);
  told.remembered = await page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.startsWith("hub:")));
  await Promise.all([page.waitForNavigation(), page.click("button[name=enter]")]); // no password
  await page.waitForSelector("button[name=leave]");
  told.again = await bar(page);
} finally {
  console.log(JSON.stringify({ ...told, ...seen, last: page.url() }));
  await browser.close();
}
