// One question to the hub: who asks it, and what for.
import { read, write } from "./session.js";
import { hub, token } from "./signing.js";

const VIEWER = "{ viewer { client user purpose purposes } }";

// Where the browser is, and not where the hub says that it is: it may have several names.
export const endpoint = new URL(`${new URL(hub).pathname.replace(/\/$/, "")}/graphql`, location);

export async function post(params, { purpose = read("purpose"), headers } = {}) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      Accept: "application/graphql-response+json, application/json;q=0.9",
      "Content-Type": "application/json",
      Authorization: `Bearer ${await token()}`,
      ...(purpose && { "Hub-Purpose": purpose }),
      ...headers,
    },
    body: JSON.stringify(params),
  });
  const isJSON = response.headers.get("Content-Type")?.includes("json");
  if (!isJSON) throw new Error(`The hub answered ${response.status} ${response.statusText}`);
  return response.json();
}

/** Who asks, and which purposes there are to choose from; nobody without a token. */
export async function viewer() {
  if (!(await token())) return null;
  let answer;
  for (const purpose of candidates()) {
    answer = await post({ query: VIEWER }, { purpose });
    if (!answer.data) continue;
    write({ purpose });
    return answer.data.viewer;
  }
  throw new Error(answer.errors[0].message);
}

/** Every request has one purpose, this one too: the last one chosen, else as the token says. */
function candidates() {
  const said = purposes(read("token"));
  const last = said.filter((purpose) => purpose === read("purpose"));
  return [...new Set([...last, ...said, ""])];
}

function purposes(token) {
  try {
    const body = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(body)).purposes ?? [];
  } catch {
    return []; // no token of a hub: it will say so itself
  }
}
