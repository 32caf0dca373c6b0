// Try it: HUB_CLIENT=storefront HUB_SECRET=… npm start -- card anna@example.com
import { changes } from './changes.js';
import { card, everyone, search, sell } from './customers.js';
import { Hub, HubError, type Access } from './hub.js';
import { credentials } from './tokens.js';

const url = process.env['HUB_URL'] ?? 'http://127.0.0.1:8000/graphql';
const access: Access = {
  url,
  token: credentials({
    tokenUrl: process.env['HUB_TOKEN_URL'] ?? new URL('oauth/token', url).href,
    id: process.env['HUB_CLIENT'] ?? '',
    secret: process.env['HUB_SECRET'] ?? '',
  }),
  purpose: process.env['HUB_PURPOSE'] ?? 'customer_service',
  byId: process.env['HUB_BY_ID'] === 'yes',
};
const hub = new Hub(access);
const [command, word = '', more = ''] = process.argv.slice(2);

function print(value: unknown): void {
  console.log(JSON.stringify(value));
}

async function run(): Promise<void> {
  switch (command) {
    case 'card':
      return print(await card(hub, { email: word }));
    case 'everyone':
      for await (const customer of everyone(hub, {}, Number(word || 200))) print(customer);
      return;
    case 'search':
      return print(await search(hub, word));
    case 'sell': {
      const lines = [{ name: 'Tea', quantity: '2', total: '6.60' }];
      const customer = { identifier: { type: 'EMAIL' as const, value: word } };
      const orderedAt = '2026-03-01T12:00:00Z'; // as your shop has it, or each try is news
      const order = { externalId: more, orderedAt, customer, lines };
      return print(await sell(hub, 'example', [order]));
    }
    case 'follow': {
      let left = Number(word || Infinity);
      for await (const change of changes(access, () => console.error('Connected again.'))) {
        print(change);
        if (--left === 0) return;
      }
      return;
    }
    default:
      console.error('card EMAIL | everyone [SIZE] | search TEXT | sell EMAIL NUMBER | follow [COUNT]');
      process.exitCode = 2;
  }
}

run().catch((error: unknown) => {
  if (!(error instanceof HubError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
});
