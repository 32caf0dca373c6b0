// app.mjs PAGE HUB CLIENT NAME PASSWORD DECISION: PAGE is an app of another origin than the hub's.
// It signs somebody in (authorization code and PKCE), who lets it or does not, and asks.
import { open } from "./browser.mjs";

const [home, hub, client, name, password, decision] = process.argv.slice(2);
const { browser, page, seen } = await open();
const told = {};

// Both run in the page.
async function leave(hub, client) {
  const { authorization_endpoint } = await (
    await fetch(`${hub}/.well-known/oauth-authorization-server`)
  ).json();
  const encode = (bytes) =>
    btoa(String.fromCharCode(...new Uint8Array(bytes)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");
  const random = () => encode(crypto.getRandomValues(new Uint8Array(32)));
  const [state, verifier] = [random(), random()];
  Object.assign(sessionStorage, { state, verifier });
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const query = new URLSearchParams({
    response_type: "code",
    client_id: client,
    redirect_uri: location.href,
    scope: "customers:read purpose:customer_service",
    state,
    code_challenge: encode(digest),
    code_challenge_method: "S256",
  });
  location.assign(`${authorization_endpoint}?${query}`);
}

async function arrive(hub, client) {
  const answer = Object.fromEntries(new URLSearchParams(location.search));
  const { state, verifier } = sessionStorage;
  const isOurs = answer.state === state && answer.iss === hub;
  if (!isOurs || answer.error) return { isOurs, error: answer.error };
  const post = (endpoint, fields) =>
    fetch(`${hub}/oauth/${endpoint}`, {
      method: "POST",
      body: new URLSearchParams({ ...fields, client_id: client }),
    });
  const redirect_uri = location.origin + location.pathname;
  const code = { grant_type: "authorization_code", code: answer.code, redirect_uri };
  const given = await (await post("token", { ...code, code_verifier: verifier })).json();
  const again = { grant_type: "refresh_token", refresh_token: given.refresh_token };
  const { access_token, refresh_token } = await (await post("token", again)).json();
  const ask = async () => {
    const response = await fetch(`${hub}/graphql`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Authorization: `Bearer ${access_token}`,
        "Hub-Purpose": "customer_service",
      },
      body: JSON.stringify({ query: "{ customers(first: 50) { nodes { id displayName } } }" }),
    });
    return [response.status, await response.json()];
  };
  const [status, body] = await ask();
  const revoked = (await post("revoke", { token: refresh_token })).status;
  return { isOurs, scope: given.scope, status, body, revoked, after: (await ask())[0] };
}

const pressed = (selector) => Promise.all([page.waitForNavigation(), page.click(selector)]);

try {
  await page.goto(home);
  await Promise.all([page.waitForNavigation(), page.evaluate(leave, hub, client)]);
  await page.type("input[name=name]", name);
  await page.type("input[name=password]", password);
  await pressed("form button");
  told.consent = await page.$eval("main", (element) => element.innerText);
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/consent.png` });
  await pressed(`button[value=${decision}]`);
  told.origin = new URL(page.url()).origin;
  Object.assign(told, await page.evaluate(arrive, hub, client));
} finally {
  console.log(JSON.stringify({ ...told, console: seen.console, last: page.url() }));
  await browser.close();
}
