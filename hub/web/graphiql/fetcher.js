// How GraphiQL asks the hub: queries and mutations by POST, subscriptions over a WebSocket.
import { getOperationAST } from "graphql";
import { createClient } from "graphql-ws";

import { authorization, read } from "./session.js";

const endpoint = new URL(document.querySelector("meta[name=graphql-endpoint]").content, location);
const socketAddress = new URL(endpoint);
socketAddress.protocol = endpoint.protocol === "https:" ? "wss:" : "ws:";

// Connected while something is subscribed, so that a new token counts for the next subscription.
const socket = createClient({
  url: socketAddress.href,
  lazyCloseTimeout: 0,
  retryAttempts: 2,
  connectionParams: () => ({
    authorization: authorization(),
    ...(read("purpose") && { purpose: read("purpose") }),
  }),
});

export function fetcher(params, { documentAST, headers } = {}) {
  if (!read("token")) {
    throw new Error("Give a token above. `hub client token NAME` prints one.");
  }
  const operation = documentAST && getOperationAST(documentAST, params.operationName);
  return operation?.operation === "subscription" ? socket.iterate(params) : post(params, headers);
}

async function post(params, headers) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      Accept: "application/graphql-response+json, application/json;q=0.9",
      "Content-Type": "application/json",
      Authorization: authorization(),
      ...(read("purpose") && { "Hub-Purpose": read("purpose") }),
      ...headers,
    },
    body: JSON.stringify(params),
  });
  const isJSON = response.headers.get("Content-Type")?.includes("json");
  if (!isJSON) throw new Error(`The hub answered ${response.status} ${response.statusText}`);
  return response.json();
}
