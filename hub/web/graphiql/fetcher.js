// How GraphiQL asks the hub: queries and mutations by POST, subscriptions over a WebSocket.
import { getOperationAST } from "graphql";
import { createClient } from "graphql-ws";

import { endpoint, post } from "./asking.js";
import { read } from "./session.js";
import { token } from "./signing.js";

const socketAddress = new URL(endpoint);
socketAddress.protocol = endpoint.protocol === "https:" ? "wss:" : "ws:";

// Connected while something is subscribed, so that a new token counts for the next subscription.
const socket = createClient({
  url: socketAddress.href,
  lazyCloseTimeout: 0,
  retryAttempts: 2,
  connectionParams: async () => ({
    authorization: `Bearer ${await token()}`,
    ...(read("purpose") && { purpose: read("purpose") }),
  }),
});

export function fetcher(params, { documentAST, headers } = {}) {
  if (!read("token")) {
    throw new Error("Sign in above, or give a token.");
  }
  const operation = documentAST && getOperationAST(documentAST, params.operationName);
  const isLasting = operation?.operation === "subscription";
  return isLasting ? socket.iterate(params) : post(params, { headers });
}
