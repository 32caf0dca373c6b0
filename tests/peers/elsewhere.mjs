// elsewhere.mjs PAGE HUB TOKEN PURPOSE: open PAGE and have it ask the hub for fifty customers.
import { open } from "./browser.mjs";

const [home, hub, token, purpose] = process.argv.slice(2);
const { browser, page, seen } = await open();

async function fetchCustomers(hub, token, purpose) {
  const query = "{ customers(first: 50) { edges { node { id displayName } } } }";
  const answer = await fetch(`${hub}/graphql`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Authorization: `Bearer ${token}`,
      "Hub-Purpose": purpose,
    },
    body: JSON.stringify({ query }),
  });
  return { origin: location.origin, status: answer.status, body: await answer.json() };
}

try {
  await page.goto(home);
  const refused = (error) => ({ refused: String(error) });
  const told = await page.evaluate(fetchCustomers, hub, token, purpose).catch(refused);
  console.log(JSON.stringify({ ...told, console: seen.console }));
} finally {
  await browser.close();
}
