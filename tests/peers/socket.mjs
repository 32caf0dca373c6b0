// Clients of graphql-ws, and how an operation of theirs ends.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

export function connect(url, authorization, more = {}) {
  return createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization },
    lazy: true,
    retryAttempts: 0,
    ...more,
  });
}

export async function all(client, query, variables) {
  const answers = [];
  for await (const answer of client.iterate({ query, variables })) answers.push(answer);
  return answers;
}

export async function failure(client, query) {
  try {
    return { answers: await all(client, query) };
  } catch (error) {
    return Array.isArray(error)
      ? { errors: error.map(({ extensions }) => extensions.code) }
      : { code: error.code, reason: error.reason };
  }
}
