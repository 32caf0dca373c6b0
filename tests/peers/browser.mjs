// A Chromium with one page, and a record of everything on that page that should not be.
import puppeteer from "puppeteer-core";

export async function open() {
  const browser = await puppeteer.launch({
    executablePath: process.env.BROWSER,
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000); // for machines that have other things to do as well
  await page.setViewport({ width: 1280, height: 800 });
  const seen = { console: [], requests: [] };
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) seen.console.push(message.text());
  });
  page.on("pageerror", (error) => seen.console.push(String(error)));
  page.on("request", (request) => seen.requests.push(request.url()));
  return { browser, page, seen };
}
