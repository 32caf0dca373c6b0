// Signing in at the hub: an authorization code with PKCE for this page, which can keep no secret.
import { forget, read, take, write } from "./session.js";
import { isCopy } from "./tab.js";

export const hub = document.querySelector("meta[name=hub]").content;

const CLIENT = "graphiql";
const HOME = `${hub}/graphiql/`;
const AHEAD = 60_000; // milliseconds before its end in which a token is renewed

export const LEFT = "hub:left"; // the event that nobody asks any more

export const isAtHome = location.origin === new URL(hub).origin;
export const canSignIn = isSecureContext; // what PKCE needs is only there over TLS, or on loopback

/** Leave for the hub's own page, which leads back here. */
export async function signIn() {
  if (!canSignIn) throw new Error("Signing in needs https, or the hub on this machine.");
  const [state, verifier] = [random(), random()];
  write({ state, verifier, query: location.hash });
  const query = {
    response_type: "code",
    client_id: CLIENT,
    redirect_uri: HOME,
    state,
    code_challenge: encoded(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))),
    code_challenge_method: "S256",
  };
  location.assign(`${hub}/oauth/authorize?${new URLSearchParams(query)}`);
}

/** Come back with a code, if that is why the page was opened; it stays in no history. */
export async function arrive() {
  if (canSignIn && (await isCopy())) leave();
  const answer = new URLSearchParams(location.search);
  if (!answer.has("state")) return;
  const [state, verifier, query] = [take("state"), take("verifier"), take("query")];
  history.replaceState(null, "", location.pathname + query);
  if (!state || answer.get("state") !== state || answer.get("iss") !== hub) {
    throw new Error("That answer is not to a question of this tab: sign in again.");
  }
  if (answer.has("error")) throw new Error(answer.get("error_description") ?? answer.get("error"));
  await redeem({
    grant_type: "authorization_code",
    code: answer.get("code"),
    redirect_uri: HOME,
    code_verifier: verifier,
  });
}

/** The token to ask with, renewed in time; nothing where nobody signed in or gave one. */
export async function token() {
  if (read("refresh") && Number(read("ends")) - Date.now() < AHEAD) await renew();
  return read("token");
}

let renewing;

/** Once, however many ask: a refresh token that comes twice ends everything. */
function renew() {
  const asked = { grant_type: "refresh_token", refresh_token: read("refresh") };
  renewing ??= redeem(asked).finally(() => (renewing = undefined));
  return renewing;
}

async function redeem(asked) {
  const response = await post("token", asked);
  const told = await response.json();
  if (response.ok) {
    const ends = Date.now() + told.expires_in * 1000;
    write({ token: told.access_token, refresh: told.refresh_token, ends });
    return;
  }
  if (told.error === "invalid_grant") leave();
  throw new Error(`${told.error_description ?? told.error} Sign in again.`);
}

/** Take a token that somebody pasted. */
export function paste(token) {
  leave();
  write({ token });
}

/** End what was given to this page, here and at the hub. */
export async function signOut() {
  const refresh = read("refresh");
  leave();
  if (refresh) await post("revoke", { token: refresh, token_type_hint: "refresh_token" });
}

function leave() {
  forget("token", "refresh", "ends");
  dispatchEvent(new Event(LEFT));
}

function post(endpoint, fields) {
  const body = new URLSearchParams({ ...fields, client_id: CLIENT });
  return fetch(`${hub}/oauth/${endpoint}`, { method: "POST", body });
}

function random() {
  return encoded(crypto.getRandomValues(new Uint8Array(32)));
}

function encoded(bytes) {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
