// Asks the hub at URL through the graphql-ws client, and prints what came of it.
import { ANNA, BY, SALE, SOLD, authorization, sale, sell, some, until, url } from './hub.mjs';
import { all, connect, failure } from './socket.mjs';

const told = {};
const closings = [];
const client = connect(url, authorization, { on: { closed: ({ code }) => closings.push(code) } });
const sold = (number) => some(client.iterate({ query: SOLD }), number);

const first = sold(1);
await until('open_streams', 1);
told.query = await all(client, ANNA, BY);
told.syntax = await failure(client, '{');
told.validation = await failure(client, '{ nope }');
told.closings = [...closings];
told.mutation = await all(client, SALE, sale(0));
told.subscription = await first;
told.left = [await until('open_streams', 0)];

const streams = Array.from({ length: 100 }, () => sold(5));
await until('open_streams', 100);
told.full = await failure(client, '{ viewer { __typename } }');
for (let number = 1; number <= 5; number++) await sell(number);
told.parallel = await Promise.all(streams);
told.left.push(await until('open_streams', 0));

const waiting = client.iterate({ query: SOLD });
const never = waiting.next();
await until('open_streams', 1);
await waiting.return();
told.done = (await never).done;
told.left.push(await until('open_streams', 0));

told.badToken = await failure(connect(url, 'Bearer bad'), '{ __typename }');
told.noToken = await failure(connect(url), '{ __typename }');

console.log(JSON.stringify(told));
process.exit(0);
