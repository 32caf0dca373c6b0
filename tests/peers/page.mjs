// What scripts share that look at the page GraphiQL.
export const bar = (page) => page.$eval(".bar", (element) => element.innerText);

export const response = (page) =>
  page.$eval(".graphiql-response", (element) => element.innerText.replaceAll("\u00a0", " "));

export async function waitForResponse(page, text) {
  await page.waitForFunction(
    (text) =>
      document.querySelector(".graphiql-response")?.innerText.replaceAll("\u00a0", " ").includes(text),
    {},
    text,
  );
  return response(page);
}
