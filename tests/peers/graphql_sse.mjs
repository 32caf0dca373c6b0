// Asks the hub at URL through the graphql-sse client, and prints what came of it.
import { createClient } from 'graphql-sse';

import { ANNA, BY, SALE, SOLD, authorization, sale, sell, some, until, url } from './hub.mjs';

const connect = (authorization) =>
  createClient({
    url: `${url}/graphql`,
    singleConnection: false,
    retryAttempts: 0,
    headers: { authorization },
  });
const client = connect(authorization);

async function all(query, variables) {
  const answers = [];
  for await (const answer of client.iterate({ query, variables })) answers.push(answer);
  return answers;
}

const sold = (number) => some(client.iterate({ query: SOLD }), number);
const told = {};

const first = sold(1);
await until('open_streams', 1);
told.query = await all(ANNA, BY);
told.syntax = await all('{');
told.mutation = await all(SALE, sale(0));
told.subscription = await first;
told.left = [await until('open_streams', 0)];

const streams = Array.from({ length: 100 }, () => sold(5));
await until('open_streams', 100);
for (let number = 1; number <= 5; number++) await sell(number);
told.parallel = await Promise.all(streams);
told.left.push(await until('open_streams', 0));

const waiting = client.iterate({ query: SOLD });
const never = waiting.next();
await until('open_streams', 1);
await waiting.return();
told.done = (await never).done;
told.left.push(await until('open_streams', 0));

const refused = connect('Bearer bad').iterate({ query: ANNA, variables: BY });
told.badToken = await refused.next().catch(({ response }) => response.status);

console.log(JSON.stringify(told));
process.exit(0);
