// Following changes of customers over a WebSocket, through reconnections and new tokens.
import { createClient } from 'graphql-ws';
import { ChangesDocument, type ChangesSubscription } from './generated/graphql.js';
import type { Access } from './hub.js';

export type Change = ChangesSubscription['customerChanged'];

/**
 * Changes from now on; `ids` names whose, all by default. After a connection was lost `missed` is
 * called: what happened meanwhile was not told, so read again what you show.
 */
export async function* changes(access: Access, missed: () => void, ids?: string[]): AsyncGenerator<Change> {
  const client = createClient({
    url: access.url.replace(/^http/, 'ws'),
    connectionParams: async () => ({
      authorization: `Bearer ${await access.token()}`,
      purpose: access.purpose,
    }),
    retryAttempts: Infinity, // it waits longer each time; an expired token is asked for anew
    shouldRetry: () => true,
    keepAlive: 20_000,
    on: { connected: (_socket, _payload, wasRetry) => wasRetry && missed() },
  });
  const asked = { query: ChangesDocument.toString(), variables: { ids: ids ?? null } };
  try {
    for await (const { data, errors } of client.iterate<ChangesSubscription>(asked)) {
      if (errors) throw errors[0];
      if (data) yield data.customerChanged;
    }
  } finally {
    await client.dispose();
  }
}
